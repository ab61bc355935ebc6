/*
 * The codes requests ended with, what they mean and what to do about them.
 */
import type { CodeCount, Overview } from '@imscope/schemas/query-api/answers.js';
import { useState } from 'react';
import { Count } from '../figure.js';
import { formatShare } from '../format-number.js';
import { Empty, Panel } from '../panel.js';
import type { AnswerState } from '../use-answer.js';
import { OutcomeLabel } from './outcome-label.js';

const ROWS_AT_ONCE = 5;

type Props = {
  readonly state: AnswerState<Overview>;
  readonly chosen: readonly string[];
  readonly onChoose: (code: string) => void;
};

/** How the API's filter names a code. */
export function codeFilterOf(code: number | null): string {
  return code === null ? 'none' : code.toString();
}

export function CodeList({ state, chosen, onChoose }: Props) {
  const [all, setAll] = useState(false);
  return (
    <Panel
      title="Codes"
      state={state}
      skeletonRows={6}
      testId="codes"
      note={<p className="quiet">all but 0, most frequent first</p>}
    >
      {({ codes }) =>
        codes.length === 0 ? (
          <Empty>
            <p>Every request ended with code 0.</p>
          </Empty>
        ) : (
          <>
            <ol className="codes">
              {(all ? codes : codes.slice(0, ROWS_AT_ONCE)).map((code) => (
                <CodeItem
                  key={`${codeFilterOf(code.code)} ${code.outcome}`}
                  code={code}
                  chosen={chosen.includes(codeFilterOf(code.code))}
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
          </>
        )
      }
    </Panel>
  );
}

type ItemProps = {
  readonly code: CodeCount;
  readonly chosen: boolean;
  readonly onChoose: (code: string) => void;
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
          title="Show the requests with this code"
          onClick={() => {
            onChoose(filter);
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
