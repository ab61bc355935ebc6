/*
 * Single requests: found by filters, paged by cursor, opened for every detail the pipeline keeps of them.
 */
import type { RequestRow, TimePoint } from '@imscope/schemas/query-api/answers.js';
import { type ReactNode, useState } from 'react';
import { formatQuantity } from '../../words/format-number.js';
import { Empty, Failure, Panel } from '../../parts/panel.js';
import {
  hasRequestFilters,
  NO_REQUEST_FILTERS,
  type RequestFilters,
  type Scope,
} from '../../state/page-state.js';
import type { AnswerState } from '../../api/use-answer.js';
import { useNow } from '../../state/use-now.js';
import { MatchingChart } from './matching-chart.js';
import { RequestFilterForm } from './request-filter-form.js';
import { RequestTableRow } from './request-table-row.js';
import { type RequestPages, ROWS_MAX } from './use-request-pages.js';

export type RequestListProps = {
  readonly pages: RequestPages;
  readonly filters: RequestFilters;
  /** Over time, of the requests the filters leave; null where the API cannot count them. */
  readonly matching: AnswerState<TimePoint[]> | null;
  readonly onFilters: (filters: Partial<RequestFilters>) => void;
  readonly onScope: (scope: Scope, value: string) => void;
  readonly adviceOf: (code: number | null) => string;
};

export function RequestList(props: RequestListProps) {
  const { pages, filters, matching, onFilters } = props;
  return (
    <Panel
      title="Requests"
      state={pages.first}
      skeletonRows={10}
      testId="requests"
      note={
        pages.held ? (
          <HeldNote pages={pages} />
        ) : (
          <p className="quiet">newest first; choose one for its details</p>
        )
      }
    >
      {() => (
        <>
          <RequestFilterForm filters={filters} onFilters={onFilters} />
          {matching !== null && <MatchingChart state={matching} />}
          {pages.rows.length === 0 ? (
            <NothingFound filtered={hasRequestFilters(filters)} onFilters={onFilters} />
          ) : (
            <RequestTable {...props} />
          )}
        </>
      )}
    </Panel>
  );
}

function HeldNote({ pages }: { readonly pages: RequestPages }) {
  return (
    <p className="quiet">
      held still while you read ·{' '}
      <button type="button" className="link" onClick={pages.release}>
        back to the newest
      </button>
    </p>
  );
}

function NothingFound({
  filtered,
  onFilters,
}: {
  readonly filtered: boolean;
  readonly onFilters: RequestListProps['onFilters'];
}) {
  return (
    <Empty>
      <p>{filtered ? 'No request in this window matches these filters.' : 'No requests in this window.'}</p>
      {filtered && (
        <button
          type="button"
          className="button"
          onClick={() => {
            onFilters(NO_REQUEST_FILTERS);
          }}
        >
          Clear these filters
        </button>
      )}
    </Empty>
  );
}

function RequestTable({ pages, onScope, onFilters, adviceOf }: RequestListProps) {
  const [open, setOpen] = useState<string | null>(null);
  const now = useNow();
  const toggle = (key: string): void => {
    setOpen(open === key ? null : key);
    if (open !== key) pages.hold();
  };
  return (
    <>
      <div className="scroll" role="region" aria-label="Requests, scrollable" tabIndex={0}>
        <table className="requests">
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Outcome</th>
              <th scope="col" className="number">
                Code
              </th>
              <th scope="col">Interface</th>
              <th scope="col" className="number">
                Delay
              </th>
              <th scope="col">Exception</th>
              <th scope="col">Node</th>
              <th scope="col">Region</th>
              <th scope="col">Platform</th>
              <th scope="col">Exit IP</th>
              <th scope="col">Request id</th>
            </tr>
          </thead>
          <tbody>
            {keyed(pages.rows).map(({ key, row }) => (
              <RequestTableRow
                key={key}
                row={row}
                open={open === key}
                nowMs={now}
                advice={open === key ? adviceOf(row.code) : ''}
                onToggle={() => {
                  toggle(key);
                }}
                onScope={onScope}
                onFilters={onFilters}
              />
            ))}
          </tbody>
        </table>
      </div>
      <Paging pages={pages} />
    </>
  );
}

function Paging({ pages }: { readonly pages: RequestPages }): ReactNode {
  const { rows, more, full, loading, olderError, loadOlder } = pages;
  if (olderError !== null) {
    return <Failure error={olderError} state={{ answer: null, receivedAtMs: 0, retry: loadOlder }} />;
  }
  return (
    <div className="paging">
      <p className="quiet" data-testid="requests-shown" data-value={rows.length}>
        {formatQuantity(rows.length, 'request')} shown
        {!more && ', which are all'}
        {more && full && `; a page holds ${ROWS_MAX.toString()} at most: narrow the filters or the window`}
      </p>
      {more && !full && (
        <button
          type="button"
          className="button"
          disabled={loading}
          data-testid="requests-older"
          onClick={loadOlder}
        >
          {loading ? 'Loading…' : 'Older requests'}
        </button>
      )}
    </div>
  );
}

/** Keys that stay with their row as newer ones arrive; equal requests are told apart by their number. */
function keyed(rows: readonly RequestRow[]): { key: string; row: RequestRow }[] {
  const seen = new Map<string, number>();
  return rows.map((row) => {
    const name = `${row.time} ${row.request_id} ${row.interface} ${row.node} ${row.latency_ms.toString()}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { key: `${name} ${count.toString()}`, row };
  });
}
