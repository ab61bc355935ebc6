/*
 * Fleet: every application of the reader, worst first.
 */
import type { ApplicationRow } from '@imscope/schemas/query-api/applications.js';
import { useEffect, useRef, useState } from 'react';
import { Empty, Failure, Skeleton } from '../../parts/panel.js';
import { PageHeader } from '../../parts/page-header.js';
import { type PageState, windowParameters, windowSearch } from '../../state/page-state.js';
import { RefreshContext, type RefreshControls, useRefreshControls } from '../../api/refresh-context.js';
import { FleetRefusalsNotice } from './fleet-refusals-notice.js';
import type { TimeWindow } from '../../state/time-window.js';
import { type StateOf, useAnswer } from '../../api/use-answer.js';
import { type ChangePageState, usePageState } from '../../state/use-page-state.js';
import { FirstRequestHelp } from '../../parts/first-request-help.js';
import { orderParameters, worstInTrouble } from './fleet-order.js';
import { RegistryLink } from '../../parts/registry-link.js';
import { LeftOutNote } from '../../parts/left-out-note.js';
import { texts } from '../../words/texts.js';
import { FleetSummary } from './fleet-summary.js';
import { FleetTable } from './fleet-table.js';

export function FleetPage() {
  const [state, change] = usePageState();
  const controls = useRefreshControls(state.window);
  useEffect(() => {
    document.title = texts.header.title(texts.fleet.title);
  }, []);
  return (
    <RefreshContext value={controls.intervalMs}>
      <Fleet state={state} change={change} controls={controls} />
    </RefreshContext>
  );
}

type Props = {
  readonly state: PageState;
  readonly change: ChangePageState;
  readonly controls: RefreshControls;
};

/** Rows that are asked for at first, and more at each demand, up to the bound of the API. */
const ROWS_AT_ONCE = 60;
const ROWS_MAX = 1_000;

function Fleet({ state, change, controls }: Props) {
  const [limit, setLimit] = useState(ROWS_AT_ONCE);
  const window = windowParameters(state.window);
  const search = state.search.trim();
  const order = orderParameters(state.sort);
  const rows = useAnswer('applications', {
    ...window,
    ...order,
    ...(search === '' ? {} : { search }),
    limit,
  });
  // The headline names the worst of all, whatever the table shows.
  const isWorstFirst = search === '' && order.sort === undefined;
  const worst = useAnswer('applications', isWorstFirst ? null : { ...window, limit: 1 });
  const refusals = useAnswer('fleetRefusals', window);
  const setWindow = (next: TimeWindow): void => {
    change({ window: next });
  };
  return (
    <>
      <PageHeader window={state.window} onWindow={setWindow} controls={controls} answer={rows.answer}>
        <h1 className="here">{texts.fleet.title}</h1>
        <RegistryLink />
      </PageHeader>
      <main className="page" data-testid="fleet-page">
        <FleetRefusalsNotice state={refusals} search={windowSearch(state.window)} />
        {rows.error !== null && <Failure error={rows.error} state={rows} />}
        {rows.answer === null ? (
          rows.error === null && <FleetSkeleton />
        ) : rows.answer.data.totals.applications === 0 ? (
          <Empty>
            <FirstRequestHelp window={state.window} onWindow={setWindow} />
          </Empty>
        ) : (
          <FleetContent
            rows={rows}
            worst={worstInTrouble((isWorstFirst ? rows : worst).answer?.data.applications ?? [])}
            onMore={
              limit < ROWS_MAX
                ? () => {
                    setLimit(Math.min(limit + ROWS_AT_ONCE, ROWS_MAX));
                  }
                : undefined
            }
            state={state}
            change={change}
          />
        )}
      </main>
    </>
  );
}

type ContentProps = {
  readonly rows: StateOf<'applications'>;
  /** undefined: none is in trouble. */
  readonly worst: ApplicationRow | undefined;
  /** undefined: no more are listed. */
  readonly onMore: (() => void) | undefined;
  readonly state: PageState;
  readonly change: ChangePageState;
};

function FleetContent({ rows, worst, onMore, state, change }: ContentProps) {
  const { answer } = rows;
  if (answer === null) return null;
  const { totals, found, applications } = answer.data;
  const notShown = found - applications.length;
  return (
    <div className={rows.stale ? 'stale' : undefined} aria-busy={rows.stale}>
      <FleetSummary totals={totals} worst={worst} window={state.window} />
      <section className="panel flush" aria-label={texts.fleet.applications}>
        <div className="table-tools">
          <SearchBox
            value={state.search}
            onChange={(search) => {
              change({ search }, 'replace');
            }}
          />
          <p className="quiet">
            {state.sort === null ? (
              texts.list.worstFirst
            ) : (
              <button
                type="button"
                className="link"
                onClick={() => {
                  change({ sort: null });
                }}
              >
                {texts.fleet.backToWorstFirst}
              </button>
            )}
          </p>
        </div>
        {applications.length === 0 ? (
          <NothingFound search={state.search} change={change} />
        ) : (
          <FleetTable
            applications={applications}
            notShown={notShown}
            onMore={onMore}
            window={state.window}
            windowEndMs={Date.parse(answer.window.to)}
            sort={state.sort}
            onSort={(sort) => {
              change({ sort });
            }}
          />
        )}
        {onMore === undefined && (
          <LeftOutNote
            count={notShown}
            text={texts.list.leftOut.application}
            why={texts.list.listed.worstFirst(applications.length)}
          />
        )}
      </section>
    </div>
  );
}

type NothingFoundProps = { readonly search: string; readonly change: ChangePageState };

function NothingFound({ search, change }: NothingFoundProps) {
  return (
    <Empty>
      <p>{texts.fleet.search.nothingFound(search)}</p>
      <button
        type="button"
        className="button"
        onClick={() => {
          change({ search: '' });
        }}
      >
        {texts.fleet.search.clear}
      </button>
    </Empty>
  );
}

type SearchProps = { readonly value: string; readonly onChange: (value: string) => void };

function SearchBox({ value, onChange }: SearchProps) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      const typing =
        event.target instanceof HTMLElement && event.target.closest('input, select, textarea') !== null;
      if (event.key !== '/' || typing) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener('keydown', focus);
    return () => {
      document.removeEventListener('keydown', focus);
    };
  }, []);
  return (
    <label className="search">
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M7 2.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9zM10.500 10.500l3.500 3.500" />
      </svg>
      <input
        ref={field}
        type="search"
        placeholder={texts.fleet.search.placeholder}
        aria-label={texts.fleet.search.label}
        value={value}
        data-testid="fleet-search"
        onChange={(event) => {
          onChange(event.target.value);
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

function FleetSkeleton() {
  return (
    <>
      <div className="summary skeleton-summary" />
      <section className="panel flush">
        <Skeleton rows={14} />
      </section>
    </>
  );
}
