/*
 * Calls the saved callback URL once, from the registry, and shows what came of it.
 */
import type { AskError } from '@imscope/schemas/query-api/ask.js';
import type { Application } from '@imscope/schemas/registry-api/application.js';
import type { OperationAnswer } from '@imscope/schemas/registry-api/operations.js';
import { useState } from 'react';
import { asAskError } from '../../api/ask-service.js';
import { call } from '../../api/call-service.js';
import { failureText } from '../../words/failure-text.js';
import { registryTexts } from '../../words/registry-texts.js';

const words = registryTexts.callbackTest;

type Props = {
  readonly application: Application;
  /** The section has edits, which the test does not use. */
  readonly isDirty: boolean;
};

type Outcome =
  | { readonly kind: 'answer'; readonly answer: OperationAnswer<'testCallback'> }
  | { readonly kind: 'failure'; readonly failure: AskError };

export function CallbackTest({ application, isDirty }: Props) {
  const [isBusy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const hasUrl = application.configuration.callback.url !== null;
  const test = async (): Promise<void> => {
    setBusy(true);
    setOutcome(null);
    try {
      const params = { sdk_app_id: application.sdk_app_id };
      setOutcome({ kind: 'answer', answer: await call('testCallback', { params }) });
    } catch (error) {
      setOutcome({ kind: 'failure', failure: asAskError(error) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="callback-test" data-testid="callback-test">
      <button
        type="button"
        className="button"
        disabled={!hasUrl || isBusy}
        data-testid="callback-test-start"
        onClick={() => void test()}
      >
        {isBusy ? words.busy : words.start}
      </button>
      <p className="quiet">{hasUrl ? (isDirty ? words.savedOnly : words.explain) : words.withoutUrl}</p>
      <div role="status">{outcome !== null && <OutcomeNotice outcome={outcome} />}</div>
    </div>
  );
}

function OutcomeNotice({ outcome }: { readonly outcome: Outcome }) {
  if (outcome.kind === 'failure') {
    const { failure } = outcome;
    return (
      <div className="notice bad" data-testid="callback-test-failure" data-value={failure.code}>
        <p>
          <code>{failure.code}</code> {failureText(failure)}
        </p>
      </div>
    );
  }
  const { status, address, duration_ms: durationMs } = outcome.answer;
  const isSuccess = status >= 200 && status <= 299;
  return (
    <div
      className={`notice ${isSuccess ? 'good' : 'warn'}`}
      data-testid="callback-test-answer"
      data-value={status}
    >
      <p>
        {words.answered(status, address, durationMs)} {!isSuccess && words.noSuccess}
      </p>
    </div>
  );
}
