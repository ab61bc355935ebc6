/*
 * Everything a shared link carries: window, filters, sorting. The address is outside input: what cannot be read is
 * dropped, lists are bounded as the query service bounds them, and what equals the default is not written.
 */
import { OUTCOMES, type Outcome } from '@imscope/schemas/outcome.js';
import { DEFAULT_WINDOW, isTime, type TimeWindow } from './time-window.js';

/** Filters that narrow the whole page: where requests were made. */
export const SCOPES = ['interface', 'region', 'node', 'platform', 'sdk_version'] as const;
export type Scope = (typeof SCOPES)[number];

export const SCOPE_LABELS: Readonly<Record<Scope, string>> = {
  interface: 'Interface',
  region: 'Region',
  node: 'Node',
  platform: 'Platform',
  sdk_version: 'SDK version',
};

/** Filters that narrow only the list of requests: what became of them. */
export type RequestFilters = {
  /** Narrows within the page's interfaces. */
  readonly interface: readonly string[];
  readonly code: readonly string[];
  readonly outcome: readonly Outcome[];
  /** Empty: requests without an exception. */
  readonly exception: readonly string[];
  readonly requestId: string;
  /** Milliseconds; null for no bound. */
  readonly latencyMsMin: number | null;
};

export type ScopeFilters = Readonly<Record<Scope, readonly string[]>>;
export type Sort = { readonly column: string; readonly descending: boolean };

export type PageState = {
  readonly window: TimeWindow;
  readonly scopes: ScopeFilters;
  readonly requests: RequestFilters;
  /** null: the page's own order. */
  readonly sort: Sort | null;
  readonly search: string;
};

const VALUES_MAX = 20;
const VALUE_LENGTH_MAX = 128;
const EXCEPTION_LENGTH_MAX = 256;
const LATENCY_MS_MAX = 86_400_000;

export const NO_SCOPES: ScopeFilters = { interface: [], region: [], node: [], platform: [], sdk_version: [] };
export const NO_REQUEST_FILTERS: RequestFilters = {
  interface: [],
  code: [],
  outcome: [],
  exception: [],
  requestId: '',
  latencyMsMin: null,
};

export function parsePageState(search: string): PageState {
  const query = new URLSearchParams(search);
  const all = (name: string, lengthMax: number): string[] =>
    [...new Set(query.getAll(name))].filter((value) => value.length <= lengthMax);
  const values = (name: string): string[] =>
    all(name, VALUE_LENGTH_MAX)
      .filter((value) => value !== '')
      .slice(0, VALUES_MAX);
  const sort = /^(-?)([a-z0-9_]{1,32})$/.exec(query.get('sort') ?? '');
  return {
    window: parseWindow(query),
    scopes: {
      interface: values('interface'),
      region: values('region'),
      node: values('node'),
      platform: values('platform'),
      sdk_version: values('sdk_version'),
    },
    requests: {
      interface: values('request_interface'),
      code: values('code').filter((code) => /^(none|-?\d{1,10})$/.test(code)),
      outcome: OUTCOMES.filter((outcome) => query.getAll('outcome').includes(outcome)),
      exception: all('exception', EXCEPTION_LENGTH_MAX).slice(0, VALUES_MAX),
      requestId: values('request_id')[0] ?? '',
      latencyMsMin: parseLatency(query.get('latency_ms_min')),
    },
    sort: sort === null ? null : { column: sort[2] ?? '', descending: sort[1] === '-' },
    search: values('q')[0] ?? '',
  };
}

/** The query string, without `?`, that parsePageState reads back. */
export function formatPageState(state: PageState): string {
  const query = windowQuery(state.window, 'short');
  addScopes(query, state.scopes);
  for (const name of state.requests.interface) query.append('request_interface', name);
  addRequestFilters(query, state.requests);
  if (state.sort !== null) query.set('sort', `${state.sort.descending ? '-' : ''}${state.sort.column}`);
  if (state.search !== '') query.set('q', state.search);
  // Both may stand in a query as they are; links stay readable.
  return query.toString().replaceAll('%2F', '/').replaceAll('%3A', ':');
}

/** An empty link within a window: what leads from one page to the next. */
export function windowSearch(window: TimeWindow): string {
  const query = windowQuery(window, 'short').toString();
  return query === '' ? '' : `?${query}`;
}

/** Parameters of the query API: the window always stands in full. */
export function apiQuery(
  window: TimeWindow,
  scopes: ScopeFilters = NO_SCOPES,
  requests: RequestFilters = NO_REQUEST_FILTERS,
): URLSearchParams {
  const query = windowQuery(window, 'full');
  // The list's interfaces lie within those of the page.
  addScopes(query, requests.interface.length === 0 ? scopes : { ...scopes, interface: requests.interface });
  addRequestFilters(query, requests);
  return query;
}

/** Whether the list of requests is narrowed by what only that list can be narrowed by. */
export function hasRequestFilters(filters: RequestFilters): boolean {
  return formatRequestFilters(filters) !== '';
}

/** These filters alone, as a link has them. */
export function formatRequestFilters(filters: RequestFilters): string {
  return formatPageState({ ...parsePageState(''), requests: filters });
}

export function hasScopes(scopes: ScopeFilters): boolean {
  return SCOPES.some((scope) => scopes[scope].length > 0);
}

/** The page narrowed to other scopes. Interfaces of the list that are no longer among the page's are dropped. */
export function withScopes(state: PageState, scopes: ScopeFilters): Pick<PageState, 'scopes' | 'requests'> {
  const within = (name: string): boolean => scopes.interface.length === 0 || scopes.interface.includes(name);
  const { requests } = state;
  return { scopes, requests: { ...requests, interface: requests.interface.filter(within) } };
}

/** With the value in, or out if it was in. */
export function toggleValue(values: readonly string[], value: string): readonly string[] {
  return values.includes(value)
    ? values.filter((one) => one !== value)
    : [...values, value].slice(-VALUES_MAX);
}

function parseWindow(query: URLSearchParams): TimeWindow {
  const from = query.get('from') ?? DEFAULT_WINDOW.from;
  const to = query.get('to') ?? DEFAULT_WINDOW.to;
  return isTime(from) && isTime(to) ? { from, to } : DEFAULT_WINDOW;
}

function parseLatency(text: string | null): number | null {
  if (text === null || text.trim() === '') return null;
  const value = Number(text);
  return value > 0 && value <= LATENCY_MS_MAX ? value : null;
}

function windowQuery(window: TimeWindow, form: 'short' | 'full'): URLSearchParams {
  const query = new URLSearchParams();
  if (form === 'full' || window.from !== DEFAULT_WINDOW.from) query.set('from', window.from);
  if (form === 'full' || window.to !== DEFAULT_WINDOW.to) query.set('to', window.to);
  return query;
}

function addScopes(query: URLSearchParams, scopes: ScopeFilters): void {
  for (const scope of SCOPES) for (const value of scopes[scope]) query.append(scope, value);
}

function addRequestFilters(query: URLSearchParams, filters: RequestFilters): void {
  for (const code of filters.code) query.append('code', code);
  for (const outcome of filters.outcome) query.append('outcome', outcome);
  for (const exception of filters.exception) query.append('exception', exception);
  if (filters.requestId !== '') query.set('request_id', filters.requestId);
  if (filters.latencyMsMin !== null) query.set('latency_ms_min', filters.latencyMsMin.toString());
}

/** The SDKAppID of an address; null where it is none, or one that a number would round to another. */
export function readApplicationId(text: string): number | null {
  const id = Number(text);
  return /^[1-9]\d{0,15}$/.test(text) && Number.isSafeInteger(id) ? id : null;
}
