/*
 * One row an application. A click anywhere in the row opens it; the link serves the keyboard, and the arrow keys move from
 * row to row. While the pointer is over the rows their order is kept, so that none moves away under a click. More rows
 * are asked for on demand.
 */
import { type KeyboardEvent, type MouseEvent, useState } from 'react';
import { useLocation } from 'wouter';
import type { ApplicationRow } from '@imscope/schemas/query-api/applications.js';
import { Count } from '../../parts/figure.js';
import { texts } from '../../words/texts.js';
import type { Sort } from '../../state/page-state.js';
import { SortHeader } from '../../parts/sort-header.js';
import type { TimeWindow } from '../../state/time-window.js';
import { windowSearch } from '../../state/page-state.js';
import { keepOrder } from './fleet-order.js';
import { FleetRow } from './fleet-row.js';

type Props = {
  readonly applications: readonly ApplicationRow[];
  /** Applications that the answer does not list. */
  readonly notShown: number;
  /** undefined: no more are listed. */
  readonly onMore: (() => void) | undefined;
  readonly window: TimeWindow;
  readonly windowEndMs: number;
  readonly sort: Sort | null;
  readonly onSort: (sort: Sort | null) => void;
};

const COLUMNS = [
  { column: 'success_rate', first: 'ascending', ...texts.fleet.column.successRate },
  { column: 'service_errors', first: 'descending', ...texts.fleet.column.serviceErrors },
  { column: 'requests_per_s', first: 'descending', ...texts.fleet.column.requestsPerS },
  { column: 'p50', first: 'descending', ...texts.fleet.column.p50 },
  { column: 'p95', first: 'descending', ...texts.fleet.column.p95 },
  { column: 'p99', first: 'descending', ...texts.fleet.column.p99 },
] as const;

export function FleetTable({ applications, notShown, onMore, window, windowEndMs, sort, onSort }: Props) {
  const [heldOrder, setHeldOrder] = useState<readonly number[] | null>(null);
  const [, navigate] = useLocation();
  const shown = heldOrder === null ? applications : keepOrder(heldOrder, applications);
  const serviceErrorsMax = Math.max(0, ...applications.map((row) => row.outcomes.service_error));
  const open = (event: MouseEvent<HTMLElement>, href: string): void => {
    const onControl = event.target instanceof Element && event.target.closest('a, button') !== null;
    if (onControl || getSelection()?.isCollapsed === false) return;
    if (event.metaKey || event.ctrlKey) globalThis.open(href, '_blank', 'noopener');
    else navigate(href);
  };
  return (
    <>
      <table className="fleet" role="table" onKeyDown={moveBetweenRows}>
        <FleetHead sort={sort} onSort={onSort} />
        <tbody
          role="rowgroup"
          onPointerEnter={() => {
            setHeldOrder(applications.map((row) => row.sdk_app_id));
          }}
          onPointerLeave={() => {
            setHeldOrder(null);
          }}
        >
          {shown.map((row, index) => (
            <FleetRow
              key={row.sdk_app_id}
              row={row}
              rank={index + 1}
              href={`/applications/${row.sdk_app_id.toString()}${windowSearch(window)}`}
              serviceErrorsMax={serviceErrorsMax}
              windowEndMs={windowEndMs}
              onOpen={open}
            />
          ))}
        </tbody>
      </table>
      {notShown > 0 && onMore !== undefined && (
        <button type="button" className="button more" data-testid="fleet-more" onClick={onMore}>
          {texts.fleet.showMore} <Count value={notShown} unit="applications" /> {texts.fleet.notShown}
        </button>
      )}
    </>
  );
}

function FleetHead({ sort, onSort }: Pick<Props, 'sort' | 'onSort'>) {
  return (
    <thead role="rowgroup">
      <tr role="row">
        <th scope="col" role="columnheader" className="rank" title={texts.list.worstFirst}>
          {texts.fleet.rank}
        </th>
        <SortHeader
          column="application"
          label={texts.fleet.application}
          first="ascending"
          numeric={false}
          sort={sort}
          onSort={onSort}
        />
        {COLUMNS.map((column) => (
          <SortHeader key={column.column} {...column} sort={sort} onSort={onSort} />
        ))}
        <th scope="col" role="columnheader">
          {texts.fleet.worstInterface}
        </th>
        <th scope="col" role="columnheader" className="trend" title={texts.fleet.trendTitle}>
          {texts.fleet.trend}
        </th>
      </tr>
    </thead>
  );
}

function moveBetweenRows(event: KeyboardEvent<HTMLTableElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('a.row-link')];
  const at = links.findIndex((link) => link === document.activeElement);
  if (at === -1) return;
  event.preventDefault();
  links[at + (event.key === 'ArrowDown' ? 1 : -1)]?.focus();
}
