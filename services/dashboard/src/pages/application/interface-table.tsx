/*
 * How well each interface does. Choosing one narrows the page to it; the table always lists all of them.
 */
import { compareWorstFirst, tierOf } from '@imscope/schemas/health.js';
import type { InterfaceRow } from '@imscope/schemas/query-api/interfaces.js';
import { useMemo, useState } from 'react';
import { Count, Duration, SuccessRate, toneOf } from '../../parts/figure.js';
import { InterfaceName } from '../../parts/interface-name.js';
import { formatShare } from '../../words/format-number.js';
import { texts } from '../../words/texts.js';
import { LeftOutNote } from '../../parts/left-out-note.js';
import { Empty, Panel } from '../../parts/panel.js';
import type { Sort } from '../../state/page-state.js';
import { orderRows, type SortKey } from '../../parts/row-order.js';
import { ShareBar } from '../../parts/share-bar.js';
import { SortHeader } from '../../parts/sort-header.js';
import type { StateOf } from '../../api/use-answer.js';

const ROWS_AT_ONCE = 12;

type Props = {
  readonly state: StateOf<'interfaces'>;
  readonly chosen: readonly string[];
  readonly sort: Sort | null;
  readonly onChoose: (name: string) => void;
  readonly onSort: (sort: Sort | null) => void;
};

const KEYS: Readonly<Record<string, SortKey<InterfaceRow>>> = {
  interface: (row) => row.interface,
  requests: (row) => row.requests,
  success_rate: (row) => row.success_rate,
  service_errors: (row) => row.outcomes.service_error,
  caller_errors: (row) => row.outcomes.caller_error,
  p50: (row) => row.latency_ms.p50,
  p95: (row) => row.latency_ms.p95,
  p99: (row) => row.latency_ms.p99,
};

const ERROR_COLUMNS = [
  { column: 'success_rate', label: texts.figure.successRate, first: 'ascending' },
  { column: 'service_errors', label: texts.figure.serviceErrors },
] as const;

/** To the right of the top code, so that a narrow window, where the table scrolls, shows what fails and why. */
const OTHER_COLUMNS = [
  { column: 'requests', label: texts.figure.requests },
  { column: 'caller_errors', label: texts.figure.callerErrors },
  { column: 'p50', label: texts.chart.latency.p50 },
  { column: 'p95', label: texts.chart.latency.p95 },
  { column: 'p99', label: texts.chart.latency.p99 },
] as const;

export function InterfaceTable(props: Props) {
  const { state } = props;
  const leftOut = state.answer?.left_out ?? 0;
  const count = (state.answer?.data.length ?? 0) + leftOut;
  return (
    <Panel
      title={texts.application.interfaces.title}
      state={state}
      skeletonRows={8}
      testId="interfaces"
      note={
        <p className="quiet" title={texts.list.worstFirst}>
          {texts.application.interfaces.note(count)}
        </p>
      }
    >
      {(rows) =>
        rows.length === 0 ? (
          <Empty>
            <p>{texts.application.interfaces.none}</p>
          </Empty>
        ) : (
          <>
            <Rows {...props} rows={rows} />
            <LeftOutNote
              count={leftOut}
              text={texts.list.leftOut.interface}
              why={texts.list.listed.worstFirst(rows.length)}
            />
          </>
        )
      }
    </Panel>
  );
}

function Rows({ rows, chosen, sort, onChoose, onSort }: Props & { readonly rows: readonly InterfaceRow[] }) {
  const [all, setAll] = useState(false);
  const ordered = useMemo(() => {
    const key = sort === null ? undefined : KEYS[sort.column];
    return sort === null || key === undefined
      ? rows.toSorted(compareWorstFirst)
      : orderRows(rows, key, sort.descending);
  }, [rows, sort]);
  const requestsMax = Math.max(1, ...rows.map(({ requests }) => requests));
  const shown = all
    ? ordered
    : ordered.filter((row, index) => index < ROWS_AT_ONCE || chosen.includes(row.interface));
  return (
    <>
      <div className="scroll" role="region" aria-label={texts.application.interfaces.region} tabIndex={0}>
        <table className="interfaces">
          <thead>
            <tr>
              <SortHeader
                column="interface"
                label={texts.application.interfaces.interface}
                numeric={false}
                first="ascending"
                sort={sort}
                onSort={onSort}
              />
              {ERROR_COLUMNS.map((column) => (
                <SortHeader key={column.column} {...column} sort={sort} onSort={onSort} />
              ))}
              <th scope="col" title={texts.application.interfaces.topCodeTitle}>
                {texts.application.interfaces.topCode}
              </th>
              {OTHER_COLUMNS.map((column) => (
                <SortHeader key={column.column} {...column} sort={sort} onSort={onSort} />
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <Row
                key={row.interface}
                row={row}
                chosen={chosen.includes(row.interface)}
                requestsMax={requestsMax}
                onChoose={onChoose}
              />
            ))}
          </tbody>
        </table>
      </div>
      {ordered.length > ROWS_AT_ONCE && (
        <button
          type="button"
          className="button more"
          onClick={() => {
            setAll(!all);
          }}
        >
          {all ? texts.list.showFewer : texts.list.showAll(ordered.length)}
        </button>
      )}
    </>
  );
}

type RowProps = {
  readonly row: InterfaceRow;
  readonly chosen: boolean;
  readonly requestsMax: number;
  readonly onChoose: (name: string) => void;
};

function Row({ row, chosen, requestsMax, onChoose }: RowProps) {
  const { interface: name, outcomes, latency_ms: delay, top_code: top } = row;
  return (
    <tr
      className={`row ${toneOf(tierOf(outcomes))} ${chosen ? 'chosen' : ''}`}
      data-testid={`interface-row-${name}`}
      onClick={(event) => {
        const onControl = event.target instanceof Element && event.target.closest('a, button') !== null;
        if (!onControl && getSelection()?.isCollapsed !== false) onChoose(name);
      }}
    >
      <th scope="row">
        <button
          type="button"
          className="link row-button"
          aria-pressed={chosen}
          title={chosen ? texts.application.interfaces.showAll : texts.application.interfaces.narrow}
          onClick={() => {
            onChoose(name);
          }}
        >
          <InterfaceName name={name} />
        </button>
      </th>
      <td className="number">
        <SuccessRate of={row} testId={`interface-success-rate-${name}`} />
      </td>
      <td className="number">
        <Count
          value={outcomes.service_error}
          unit="serviceErrors"
          testId={`interface-service-errors-${name}`}
        />
      </td>
      <td className="top-code">
        {top === null ? (
          <span className="dim">{texts.application.interfaces.noTopCode}</span>
        ) : (
          <span title={`${top.meaning} ${top.advice}`}>
            <code>{top.code ?? texts.figure.noCode}</code> {top.name}{' '}
            <span className="dim num">{formatShare(top.share)}</span>
          </span>
        )}
      </td>
      <td className="number volume">
        <ShareBar share={row.requests / requestsMax} tone="plain" />
        <Count value={row.requests} testId={`interface-requests-${name}`} />
      </td>
      <td className="number">
        <Count value={outcomes.caller_error} unit="callerErrors" testId={`interface-caller-errors-${name}`} />
      </td>
      <td className="number">
        <Duration value={delay.p50} testId={`interface-p50-${name}`} />
      </td>
      <td className="number">
        <Duration value={delay.p95} testId={`interface-p95-${name}`} />
      </td>
      <td className="number">
        <Duration value={delay.p99} testId={`interface-p99-${name}`} />
      </td>
    </tr>
  );
}
