/*
 * Exceptions with their causes: what failed, since when, where, and one request to look at.
 */
import type { ExceptionGroup } from '@imscope/schemas/query-api/exceptions.js';
import { useState } from 'react';
import { Count } from '../../parts/figure.js';
import { InterfaceName } from '../../parts/interface-name.js';
import { texts } from '../../words/texts.js';
import { LeftOutNote } from '../../parts/left-out-note.js';
import { LocalTime } from '../../parts/local-time.js';
import { Empty, Panel } from '../../parts/panel.js';
import type { RequestFilters } from '../../state/page-state.js';
import { useMayReadRequests } from '../../api/may-read-requests.js';
import type { StateOf } from '../../api/use-answer.js';
import { useNow } from '../../state/use-now.js';
import { OutcomeLabel } from '../../parts/outcome-label.js';
import { exceptionFilters, noExceptionsText } from './request-links.js';

const ROWS_AT_ONCE = 5;

type Props = {
  readonly state: StateOf<'exceptions'>;
  /** In the window and scope; null where not known. */
  readonly requests: number | null;
  /** Narrows the list of requests and goes there. */
  readonly onShow: (filters: RequestFilters) => void;
};

export function ExceptionList({ state, requests, onShow }: Props) {
  const [all, setAll] = useState(false);
  return (
    <Panel
      title={texts.application.exceptions.title}
      state={state}
      skeletonRows={3}
      testId="exceptions"
      note={<p className="quiet">{texts.application.exceptions.note}</p>}
    >
      {({ groups: rows, groups_left_out: leftOut }) =>
        rows.length === 0 ? (
          <Empty>
            <p>{noExceptionsText(requests)}</p>
          </Empty>
        ) : (
          <>
            <ul className="exceptions">
              {(all ? rows : rows.slice(0, ROWS_AT_ONCE)).map((row) => (
                <ExceptionItem key={row.id} row={row} onShow={onShow} />
              ))}
            </ul>
            {rows.length > ROWS_AT_ONCE && (
              <button
                type="button"
                className="button more"
                onClick={() => {
                  setAll(!all);
                }}
              >
                {all ? texts.list.showFewer : texts.list.showAll(rows.length)}
              </button>
            )}
            <LeftOutNote
              count={leftOut}
              text={texts.list.leftOut.exceptionGroup}
              why={texts.list.listed.serviceErrorsFirst(rows.length)}
            />
          </>
        )
      }
    </Panel>
  );
}

type ItemProps = { readonly row: ExceptionGroup; readonly onShow: Props['onShow'] };

function ExceptionItem({ row, onShow }: ItemProps) {
  const mayRead = useMayReadRequests();
  return (
    <li data-testid={`exception-${row.id}`} data-value={row.count}>
      <div className="exception-what">
        <p>
          <strong className="exception-name">{row.exception === '' ? row.name : row.exception}</strong>{' '}
          <Interfaces row={row} />
        </p>
        <p className="quiet">{statusText(row)}</p>
        <Causes row={row} />
      </div>
      <ExceptionFacts row={row} />
      {mayRead && <ExceptionActions row={row} onShow={onShow} />}
      <p className="advice">
        <OutcomeLabel outcome={row.outcome} /> <code>{row.code ?? texts.figure.noCode}</code> {row.name}:{' '}
        {row.advice}
      </p>
    </li>
  );
}

function ExceptionActions({ row, onShow }: ItemProps) {
  const sample = row.samples.find(({ request_id: id }) => id !== '')?.request_id ?? '';
  return (
    <div className="exception-actions">
      <button
        type="button"
        className="button"
        onClick={() => {
          onShow(exceptionFilters(row));
        }}
      >
        {texts.application.exceptions.showRequests}
      </button>
      {sample !== '' && (
        <button
          type="button"
          className="button"
          title={sample}
          onClick={() => {
            onShow({ ...exceptionFilters(row), requestId: sample });
          }}
        >
          {texts.application.exceptions.oneSample}
        </button>
      )}
    </div>
  );
}

/** The most frequent interface, and how many more. */
function Interfaces({ row }: { readonly row: ExceptionGroup }) {
  const [first] = row.interfaces;
  if (first === undefined) return null;
  return (
    <>
      {texts.application.exceptions.in} <InterfaceName name={first.value} />{' '}
      {texts.application.exceptions.moreInterfaces(row.interfaces_total - 1)}
    </>
  );
}

function statusText({ is_new: isNew, silent_hours: silentHours, muted }: ExceptionGroup): string {
  const words = texts.application.exceptions;
  const parts = [
    ...(isNew ? [words.isNew] : []),
    ...(silentHours === null ? [] : [words.isRegressed(silentHours)]),
    ...(muted === null ? [] : [words.isMuted(muted.by, muted.reason)]),
  ];
  return parts.join(' · ');
}

function Causes({ row }: { readonly row: ExceptionGroup }) {
  const others = row.count - row.samples.reduce((sum, { count }) => sum + count, 0);
  return (
    <ul className="causes">
      {row.samples.map(({ cause, count }) => (
        <li key={cause}>
          <Count value={count} /> <span>{cause === '' ? texts.application.exceptions.noCause : cause}</span>
        </li>
      ))}
      {others > 0 && (
        <li className="dim">
          <Count value={others} /> <span>{texts.application.exceptions.otherCauses}</span>
        </li>
      )}
    </ul>
  );
}

function ExceptionFacts({ row }: { readonly row: ExceptionGroup }) {
  const now = useNow();
  return (
    <dl className="exception-facts">
      <div>
        <dt>{texts.application.exceptions.requests}</dt>
        <dd className="big">
          <Count value={row.count} />
        </dd>
      </div>
      <div>
        <dt>{texts.application.exceptions.firstSeen}</dt>
        <dd>
          <LocalTime at={row.first_seen} nowMs={now} />
        </dd>
      </div>
      <div>
        <dt>{texts.application.exceptions.lastSeen}</dt>
        <dd>
          <LocalTime at={row.last_seen} nowMs={now} form="age" />
        </dd>
      </div>
      <div>
        <dt>{texts.application.exceptions.where}</dt>
        <dd>{texts.application.exceptions.nodesAndRegions(row.nodes, row.regions)}</dd>
      </div>
    </dl>
  );
}
