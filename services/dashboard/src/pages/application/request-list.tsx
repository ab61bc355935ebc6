/*
 * Single requests: found by filters, paged by cursor, opened for all their details.
 */
import type { RequestRow } from '@imscope/schemas/query-api/requests.js';
import { type ReactNode, useState } from 'react';
import { texts } from '../../words/texts.js';
import { Empty, Failure, Panel } from '../../parts/panel.js';
import {
  hasRequestFilters,
  NO_REQUEST_FILTERS,
  type RequestFilters,
  type Scope,
} from '../../state/page-state.js';
import type { StateOf } from '../../api/use-answer.js';
import { useNow } from '../../state/use-now.js';
import { MatchingChart } from './matching-chart.js';
import { RequestFilterForm } from './request-filter-form.js';
import { RequestTableRow } from './request-table-row.js';
import { type RequestPages, ROWS_MAX } from './use-request-pages.js';

export type RequestListProps = {
  readonly pages: RequestPages;
  readonly filters: RequestFilters;
  /** Over time, of the requests the filters leave; null where the API cannot count them. */
  readonly matching: StateOf<'timeseries'> | null;
  readonly onFilters: (filters: Partial<RequestFilters>) => void;
  readonly onScope: (scope: Scope, value: string) => void;
  readonly adviceOf: (code: number | null) => string;
};

export function RequestList(props: RequestListProps) {
  const { pages, filters, matching, onFilters } = props;
  return (
    <Panel
      title={texts.request.title}
      state={pages.first}
      skeletonRows={10}
      testId="requests"
      note={pages.held ? <HeldNote pages={pages} /> : <p className="quiet">{texts.request.note}</p>}
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

/** In place of the list, for sessions that may not read it. */
export function RequestsRefused() {
  return (
    <section className="panel" data-testid="requests-refused">
      <header className="panel-head">
        <h2>{texts.request.title}</h2>
      </header>
      <Empty>
        <p>{texts.request.refused}</p>
      </Empty>
    </section>
  );
}

function HeldNote({ pages }: { readonly pages: RequestPages }) {
  return (
    <p className="quiet">
      {texts.request.held}{' '}
      <button type="button" className="link" onClick={pages.release}>
        {texts.request.backToNewest}
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
      <p>{filtered ? texts.request.nothingMatches : texts.request.none}</p>
      {filtered && (
        <button
          type="button"
          className="button"
          onClick={() => {
            onFilters(NO_REQUEST_FILTERS);
          }}
        >
          {texts.request.clearFilters}
        </button>
      )}
    </Empty>
  );
}

function RequestTable({ pages, onScope, onFilters, adviceOf }: RequestListProps) {
  const [open, setOpen] = useState<string | null>(null);
  const now = useNow();
  const { column } = texts.request;
  const toggle = (key: string): void => {
    setOpen(open === key ? null : key);
    if (open !== key) pages.hold();
  };
  return (
    <>
      <div className="scroll" role="region" aria-label={texts.request.region} tabIndex={0}>
        <table className="requests">
          <thead>
            <tr>
              <th scope="col">{column.time}</th>
              <th scope="col">{column.outcome}</th>
              <th scope="col" className="number">
                {column.code}
              </th>
              <th scope="col">{column.interface}</th>
              <th scope="col" className="number">
                {column.delay}
              </th>
              <th scope="col">{column.exception}</th>
              <th scope="col">{column.node}</th>
              <th scope="col">{column.region}</th>
              <th scope="col">{column.platform}</th>
              <th scope="col">{column.exitIp}</th>
              <th scope="col">{column.requestId}</th>
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
        {texts.request.shown(rows.length)}
        {!more && texts.request.areAll}
        {more && full && texts.request.full(ROWS_MAX)}
      </p>
      {more && !full && (
        <button
          type="button"
          className="button"
          disabled={loading}
          data-testid="requests-older"
          onClick={loadOlder}
        >
          {loading ? texts.request.loading : texts.request.older}
        </button>
      )}
    </div>
  );
}

/** Keys that stay with their row as newer ones arrive; equal requests are distinguished by their number. */
function keyed(rows: readonly RequestRow[]): { key: string; row: RequestRow }[] {
  const seen = new Map<string, number>();
  return rows.map((row) => {
    const name = `${row.time} ${row.request_id} ${row.interface} ${row.node} ${row.latency_ms.toString()}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { key: `${name} ${count.toString()}`, row };
  });
}
