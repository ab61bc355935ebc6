/*
 * One application: how well it does, where it fails, why, and single requests. Each panel has its own question, so a
 * question that fails leaves the other panels alone.
 */
import type { InterfaceRow } from '@imscope/schemas/query-api/interfaces.js';
import type { RequestRow } from '@imscope/schemas/query-api/requests.js';
import { useEffect, useMemo } from 'react';
import { Link } from 'wouter';
import { FirstRequestHelp } from '../../parts/first-request-help.js';
import { Empty } from '../../parts/panel.js';
import { PageHeader } from '../../parts/page-header.js';
import {
  countableParameters,
  hasRequestFilters,
  hasScopes,
  isCountable,
  NO_REQUEST_FILTERS,
  NO_SCOPES,
  type PageState,
  type RequestFilters,
  requestParameters,
  type Scope,
  type ScopeFilters,
  scopeParameters,
  toggleValue,
  windowParameters,
  windowSearch,
  withScopes,
} from '../../state/page-state.js';
import { RefreshContext, type RefreshControls, useRefreshControls } from '../../api/refresh-context.js';
import { texts } from '../../words/texts.js';
import { type TimeWindow, widen } from '../../state/time-window.js';
import { useMayReadRequests } from '../../api/may-read-requests.js';
import { type StateOf, useAnswer } from '../../api/use-answer.js';
import { type ChangePageState, usePageState } from '../../state/use-page-state.js';
import { ApplicationCharts } from './application-charts.js';
import { ApplicationRefusals } from './application-refusals.js';
import { RegistryLink } from '../../parts/registry-link.js';
import { ApplicationLabel } from '../../parts/application-label.js';
import { CodeList } from './code-list.js';
import { ExceptionList } from './exception-list.js';
import { HeadlineTiles } from './headline-tiles.js';
import { InterfaceTable } from './interface-table.js';
import { RequestList, RequestsRefused } from './request-list.js';
import { codeFilters, sameFilters } from './request-links.js';
import { type KnownValues, ScopeBar } from './scope-bar.js';
import { SourceNote } from './source-note.js';
import { useRequestPages } from './use-request-pages.js';

export function ApplicationPage({ sdkAppId }: { readonly sdkAppId: number }) {
  const [state, change] = usePageState();
  const controls = useRefreshControls(state.window);
  useEffect(() => {
    scrollTo(0, 0);
  }, [sdkAppId]);
  return (
    <RefreshContext value={controls.intervalMs}>
      <Application sdkAppId={sdkAppId} state={state} change={change} controls={controls} />
    </RefreshContext>
  );
}

type Props = {
  readonly sdkAppId: number;
  readonly state: PageState;
  readonly change: ChangePageState;
  readonly controls: RefreshControls;
};

function Application({ sdkAppId, state, change, controls }: Props) {
  const { window, scopes } = state;
  const application = { sdk_app_id: sdkAppId };
  const overview = useAnswer('overview', { ...application, ...scopeParameters(window, scopes) });
  const refusals = useAnswer('refusals', { ...application, ...windowParameters(window) });
  const named = overview.answer?.application;
  useEffect(() => {
    document.title = texts.header.title(texts.application.pageTitle(sdkAppId, named?.name ?? ''));
  }, [sdkAppId, named?.name]);
  const setWindow = (next: TimeWindow): void => {
    change({ window: next });
  };
  const empty = overview.answer?.data.requests === 0 && !overview.stale;
  return (
    <>
      <PageHeader window={window} onWindow={setWindow} controls={controls} answer={overview.answer}>
        <Link href={`/${windowSearch(window)}`}>{texts.fleet.title}</Link>
        <span className="sep" aria-hidden="true">
          /
        </span>
        <h1 className="here" title={texts.application.sdkAppId}>
          {sdkAppId}
        </h1>
        <ApplicationLabel of={named} />
        <RegistryLink sdkAppId={sdkAppId} />
      </PageHeader>
      <main className="page" data-testid="application-page" data-value={sdkAppId}>
        <ApplicationRefusals state={refusals} />
        {empty && !hasScopes(scopes) ? (
          <Empty>
            <FirstRequestHelp window={window} onWindow={setWindow} />
          </Empty>
        ) : (
          <Panels sdkAppId={sdkAppId} overview={overview} empty={empty} state={state} change={change} />
        )}
      </main>
    </>
  );
}

type PanelsProps = {
  readonly sdkAppId: number;
  readonly overview: StateOf<'overview'>;
  readonly empty: boolean;
  readonly state: PageState;
  readonly change: ChangePageState;
};

function Panels({ sdkAppId, overview, empty, state, change }: PanelsProps) {
  const { scopes, requests: filters } = state;
  const mayRead = useMayReadRequests();
  const { points, interfaces, exceptions, pages, matching, known } = useQuestions(sdkAppId, state, mayRead);
  const setWindow = (window: TimeWindow): void => {
    change({ window });
  };
  const setScopes = (next: ScopeFilters): void => {
    change(withScopes(state, next));
  };
  const toggleScope = (scope: Scope, value: string): void => {
    setScopes({ ...scopes, [scope]: toggleValue(scopes[scope], value) });
  };
  const setFilters = (part: Partial<RequestFilters>): void => {
    change({ requests: { ...filters, ...part } });
  };
  const showRequests = (requests: RequestFilters): void => {
    change({ requests });
    document.querySelector('[data-testid="requests"]')?.scrollIntoView({ block: 'start' });
  };
  return (
    <>
      <PageTools state={state} known={known} onScopes={setScopes} onWindow={setWindow} />
      {empty && <NothingInScope onScopes={setScopes} />}
      <SourceNote window={overview.answer?.window ?? null} />
      <HeadlineTiles state={overview} />
      <ApplicationCharts state={points} onWindow={setWindow} />
      <div className="columns">
        <InterfaceTable
          state={interfaces}
          chosen={scopes.interface}
          sort={state.sort}
          onChoose={(name) => {
            toggleScope('interface', name);
          }}
          onSort={(sort) => {
            change({ sort });
          }}
        />
        <CodeList
          state={overview}
          filters={filters}
          onChoose={(code) => {
            const chosen = codeFilters(code);
            showRequests(sameFilters(filters, chosen) ? NO_REQUEST_FILTERS : chosen);
          }}
        />
      </div>
      <ExceptionList
        state={exceptions}
        requests={overview.answer?.data.requests ?? null}
        onShow={showRequests}
      />
      {mayRead ? (
        <RequestList
          pages={pages}
          filters={filters}
          matching={matching}
          onFilters={setFilters}
          onScope={toggleScope}
          adviceOf={(code) => adviceFor(code, overview)}
        />
      ) : (
        <RequestsRefused />
      )}
    </>
  );
}

/** The page's questions besides the overview and the refusals. */
function useQuestions(sdkAppId: number, { window, scopes, requests: filters }: PageState, mayRead: boolean) {
  const application = { sdk_app_id: sdkAppId };
  const scoped = { ...application, ...scopeParameters(window, scopes) };
  const points = useAnswer('timeseries', scoped);
  // All interfaces stay listed while the page is narrowed to some of them.
  const everyInterface = { ...scopes, interface: [] };
  const interfaces = useAnswer('interfaces', {
    ...application,
    ...scopeParameters(window, everyInterface),
  });
  const exceptions = useAnswer('exceptions', scoped);
  const pages = useRequestPages(
    mayRead ? { ...application, ...requestParameters(window, scopes, filters) } : null,
  );
  const countable = mayRead && hasRequestFilters(filters) && isCountable(filters);
  const counted = useAnswer(
    'timeseries',
    countable ? { ...application, ...countableParameters(window, scopes, filters) } : null,
  );
  const known = useMemo(
    () => knownValues(interfaces.answer?.data ?? [], pages.first.answer?.data.requests ?? []),
    [interfaces.answer, pages.first.answer],
  );
  return { points, interfaces, exceptions, pages, matching: countable ? counted : null, known };
}

type ToolsProps = {
  readonly state: PageState;
  readonly known: KnownValues;
  readonly onScopes: (scopes: ScopeFilters) => void;
  readonly onWindow: (window: TimeWindow) => void;
};

function PageTools({ state, known, onScopes, onWindow }: ToolsProps) {
  return (
    <div className="page-tools">
      <ScopeBar scopes={state.scopes} known={known} onScopes={onScopes} />
      <p className="quiet">
        {texts.application.dragToZoom}{' '}
        <button
          type="button"
          className="link"
          data-testid="zoom-out"
          onClick={() => {
            onWindow(widen(state.window, Date.now()));
          }}
        >
          {texts.application.zoomOut}
        </button>
      </p>
    </div>
  );
}

function NothingInScope({ onScopes }: Pick<ToolsProps, 'onScopes'>) {
  return (
    <Empty>
      <p>{texts.application.scope.nothing}</p>
      <button
        type="button"
        className="button"
        onClick={() => {
          onScopes(NO_SCOPES);
        }}
      >
        {texts.application.scope.clear}
      </button>
    </Empty>
  );
}

function adviceFor(code: number | null, overview: StateOf<'overview'>): string {
  const known = overview.answer?.data.codes.find((one) => one.code === code);
  return known === undefined ? '' : `${known.meaning} ${known.advice}`;
}

function knownValues(interfaces: readonly InterfaceRow[], requests: readonly RequestRow[]): KnownValues {
  const valuesOf = (scope: Exclude<Scope, 'interface'>): string[] =>
    [...new Set(requests.map((row) => row[scope]))].filter((value) => value !== '').toSorted();
  return {
    interface: interfaces.map((row) => row.interface),
    region: valuesOf('region'),
    node: valuesOf('node'),
    platform: valuesOf('platform'),
    sdk_version: valuesOf('sdk_version'),
  };
}
