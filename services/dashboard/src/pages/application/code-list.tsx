/*
 * The codes requests ended with, what they mean and what to do about them.
 */
import type { CodeCount } from '@imscope/schemas/query-api/values.js';
import { useState } from 'react';
import { Count } from '../../parts/figure.js';
import { formatShare } from '../../words/format-number.js';
import { texts } from '../../words/texts.js';
import { LeftOutNote } from '../../parts/left-out-note.js';
import type { RequestFilters } from '../../state/page-state.js';
import { Empty, Panel } from '../../parts/panel.js';
import { useMayReadRequests } from '../../api/may-read-requests.js';
import type { StateOf } from '../../api/use-answer.js';
import { OutcomeLabel } from '../../parts/outcome-label.js';
import { codeFilterOf, codeFilters, noCodesText, sameFilters } from './request-links.js';

const ROWS_AT_ONCE = 5;

type Props = {
  readonly state: StateOf<'overview'>;
  /** Of the list of requests. */
  readonly filters: RequestFilters;
  readonly onChoose: (code: CodeCount) => void;
};

export function CodeList({ state, filters, onChoose }: Props) {
  const [all, setAll] = useState(false);
  return (
    <Panel
      title={texts.application.codes.title}
      state={state}
      skeletonRows={6}
      testId="codes"
      note={<p className="quiet">{texts.application.codes.note}</p>}
    >
      {({ codes, codes_left_out: leftOut, requests }) =>
        codes.length === 0 ? (
          <Empty>
            <p>{noCodesText(requests)}</p>
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
                {all ? texts.list.showFewer : texts.list.showAll(codes.length)}
              </button>
            )}
            <LeftOutNote
              count={leftOut}
              text={texts.list.leftOut.code}
              why={texts.list.listed.mostFrequent(codes.length)}
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
  const mayRead = useMayReadRequests();
  return (
    <li className={chosen ? 'chosen' : undefined} data-testid={`code-${filter}`}>
      <div className="code-head">
        <button
          type="button"
          className="link"
          disabled={!mayRead}
          aria-pressed={chosen}
          title={texts.application.codes.show(texts.figure.outcome[code.outcome])}
          onClick={() => {
            onChoose(code);
          }}
        >
          <code>{code.code ?? texts.figure.noCode}</code> {code.name}
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
