/*
 * The codes requests ended with, what they mean and what to do about them.
 */
import type { CodeCount, Overview } from '@imscope/schemas/query-api/answers.js';
import { useState } from 'react';
import { Count } from '../../parts/figure.js';
import { formatExact, formatShare } from '../../words/format-number.js';
import { LeftOutNote } from '../../parts/left-out-note.js';
import type { RequestFilters } from '../../state/page-state.js';
import { Empty, Panel } from '../../parts/panel.js';
import type { AnswerState } from '../../api/use-answer.js';
import { OUTCOME_LABELS, OutcomeLabel } from '../../parts/outcome-label.js';
import { codeFilterOf, codeFilters, noCodesWords, sameFilters } from './request-links.js';

const ROWS_AT_ONCE = 5;

type Props = {
  readonly state: AnswerState<Overview>;
  /** Of the list of requests. */
  readonly filters: RequestFilters;
  readonly onChoose: (code: CodeCount) => void;
};

export function CodeList({ state, filters, onChoose }: Props) {
  const [all, setAll] = useState(false);
  return (
    <Panel
      title="Codes"
      state={state}
      skeletonRows={6}
      testId="codes"
      note={<p className="quiet">all but 0, most frequent first</p>}
    >
      {({ codes, codes_left_out: leftOut, requests }) =>
        codes.length === 0 ? (
          <Empty>
            <p>{noCodesWords(requests)}</p>
          </Empty>
        ) : (
          <>
            <ol className="codes">
              {(all ? codes : codes.slice(0, ROWS_AT_ONCE)).map((code) => (
                <CodeItem
                  key={`${codeFilterOf(code.code)} ${code.outcome}`}
                  code={code}
                  chosen={sameFilters(filters, codeFilters(code))}
                  onChoose={onChoose}
                />
              ))}
            </ol>
            {codes.length > ROWS_AT_ONCE && (
              <button
                type="button"
                className="button more"
                onClick={() => {
                  setAll(!all);
                }}
              >
                {all ? 'Show fewer' : `Show all ${codes.length.toString()}`}
              </button>
            )}
            <LeftOutNote
              count={leftOut}
              noun="code"
              why={`the answer lists the ${formatExact(codes.length)} most frequent`}
            />
          </>
        )
      }
    </Panel>
  );
}

type ItemProps = {
  readonly code: CodeCount;
  readonly chosen: boolean;
  readonly onChoose: (code: CodeCount) => void;
};

function CodeItem({ code, chosen, onChoose }: ItemProps) {
  const filter = codeFilterOf(code.code);
  return (
    <li className={chosen ? 'chosen' : undefined} data-testid={`code-${filter}`}>
      <div className="code-head">
        <button
          type="button"
          className="link"
          aria-pressed={chosen}
          title={`Show the requests with this code and the outcome ${OUTCOME_LABELS[code.outcome]}`}
          onClick={() => {
            onChoose(code);
          }}
        >
          <code>{code.code ?? 'no code'}</code> {code.name}
        </button>
        <span className="code-count">
          <Count value={code.count} testId={`code-count-${filter}`} />{' '}
          <span className="dim num">{formatShare(code.share)}</span>
        </span>
      </div>
      <p>
        <OutcomeLabel outcome={code.outcome} /> · {code.meaning}
      </p>
      <p className="advice">{code.advice}</p>
    </li>
  );
}
