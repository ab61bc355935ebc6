/*
 * The status of an application and what leads to another, the date of its purge, and its notices.
 */
import type { Application } from '@imscope/schemas/registry-api/application.js';
import { useState } from 'react';
import { call } from '../../api/call-service.js';
import { useReadAgain, useRegistry } from '../../api/use-registry.js';
import { LocalTime } from '../../parts/local-time.js';
import { Failure } from '../../parts/panel.js';
import { registryTexts } from '../../words/registry-texts.js';
import { ActionDialog } from './action-dialog.js';
import { StatusBadge } from './status-badge.js';

const words = registryTexts.lifecycle;
const NOTICES_SHOWN = 20;

type Step = 'suspend' | 'resume' | 'terminate' | 'restore';
const STEPS: Readonly<Record<Application['status'], readonly Step[]>> = {
  active: ['suspend', 'terminate'],
  suspended: ['resume', 'terminate'],
  terminated: ['restore'],
};
const OPERATIONS = {
  suspend: 'suspendApplication',
  resume: 'resumeApplication',
  terminate: 'terminateApplication',
  restore: 'restoreApplication',
} as const;
const NEEDS_TYPED_ID: ReadonlySet<Step> = new Set(['suspend', 'terminate']);

type Props = { readonly application: Application; readonly onDone: (text: string) => void };

export function LifecyclePanel({ application, onDone }: Props) {
  const [step, setStep] = useState<Step | null>(null);
  const readAgain = useReadAgain();
  const { sdk_app_id: id, status, revision, details } = application;
  const close = (): void => {
    setStep(null);
  };
  const take = async (taken: Step, reason: string): Promise<void> => {
    await call(OPERATIONS[taken], { params: { sdk_app_id: id }, body: { reason }, revision });
    onDone(words.done[taken]);
    close();
    await readAgain();
  };
  return (
    <section id="lifecycle" className="panel" aria-label={words.title} data-testid="lifecycle">
      <header className="panel-head">
        <h2>{words.title}</h2>
      </header>
      <p className="lifecycle-status">
        <StatusBadge status={status} /> {words[status]}
      </p>
      <Purge application={application} />
      <div className="registry-actions">
        {STEPS[status].map((one) => (
          <button
            key={one}
            type="button"
            className={`button ${NEEDS_TYPED_ID.has(one) ? 'danger' : ''}`}
            data-testid={one}
            onClick={() => {
              setStep(one);
            }}
          >
            {words[one]}
          </button>
        ))}
      </div>
      <Notices sdkAppId={id} />
      {step !== null && (
        <ActionDialog
          title={words.title_of[step](details.name)}
          confirm={words[step]}
          {...(NEEDS_TYPED_ID.has(step) ? { tone: 'danger' as const, typedId: id.toString() } : {})}
          run={(reason) => take(step, reason)}
          onClose={close}
        >
          <p>{words.effect[step]}</p>
        </ActionDialog>
      )}
    </section>
  );
}

function Purge({
  application: { terminated_at: terminatedAt, purge_at: purgeAt },
}: Pick<Props, 'application'>) {
  if (terminatedAt === null) return null;
  const nowMs = Date.now();
  return (
    <>
      <dl className="facts">
        <div>
          <dt>{words.terminatedAt}</dt>
          <dd>
            <LocalTime at={terminatedAt} nowMs={nowMs} />
          </dd>
        </div>
        {purgeAt !== null && (
          <div>
            <dt>{words.purgeAt}</dt>
            <dd data-testid="purge-at" data-value={purgeAt}>
              <LocalTime at={purgeAt} nowMs={nowMs} />
            </dd>
          </div>
        )}
      </dl>
      <p className="quiet">{words.purgeExplain}</p>
    </>
  );
}

function Notices({ sdkAppId }: { readonly sdkAppId: number }) {
  const state = useRegistry('listNotices', { query: { sdk_app_id: sdkAppId, limit: NOTICES_SHOWN } });
  const { answer, error } = state;
  const nowMs = Date.now();
  return (
    <>
      {error !== null && <Failure error={error} state={state} />}
      {answer !== null && answer.notices.length > 0 && (
        <>
          <h3>{words.noticesTitle}</h3>
          <ul className="notices" data-testid="notices">
            {answer.notices.map(({ id, at, message }) => (
              <li key={id}>
                <LocalTime at={at} nowMs={nowMs} /> {message}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
