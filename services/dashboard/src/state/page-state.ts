/*
 * The state of a page that a link carries: window, filters, sorting. The address is outside input: what cannot be read
 * is dropped, lists have the bounds of the query service, and what equals the default is not written.
 */
import { OUTCOMES, type Outcome } from '@imscope/schemas/outcome.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { DEFAULT_WINDOW, isTime, type TimeWindow } from './time-window.js';

/** Filters that narrow the page: where requests were made. */
export const SCOPES = ['interface', 'region', 'node', 'platform', 'sdk_version'] as const;
export type Scope = (typeof SCOPES)[number];

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
const VALUE_LENGTH_MAX = REQUEST_LOG_BOUNDS.labelLengthMax;
const EXCEPTION_LENGTH_MAX = REQUEST_LOG_BOUNDS.exceptionLengthMax;
const LATENCY_MS_MAX = REQUEST_LOG_BOUNDS.durationUsMax / 1_000;

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
  const query = windowQuery(state.window);
  addScopes(query, state.scopes);
  for (const name of state.requests.interface) query.append('request_interface', name);
  addRequestFilters(query, state.requests);
  if (state.sort !== null) query.set('sort', `${state.sort.descending ? '-' : ''}${state.sort.column}`);
  if (state.search !== '') query.set('q', state.search);
  // A query may hold both as they are; links stay readable.
  return query.toString().replaceAll('%2F', '/').replaceAll('%3A', ':');
}

/** An empty link within a window: what leads from one page to the next. */
export function windowSearch(window: TimeWindow): string {
  const query = windowQuery(window).toString();
  return query === '' ? '' : `?${query}`;
}

/** Parameters of the query API. The window is always complete. */
export function windowParameters({ from, to }: TimeWindow): { from: string; to: string } {
  return { from, to };
}

/** Parameters of the query API that name where requests were made. Empty lists are left out of the address. */
export function scopeParameters(window: TimeWindow, scopes: ScopeFilters) {
  return {
    ...windowParameters(window),
    interface: [...scopes.interface],
    region: [...scopes.region],
    node: [...scopes.node],
    platform: [...scopes.platform],
    sdk_version: [...scopes.sdk_version],
  };
}

/** Parameters of the query API for the requests that the filters leave, by what can be counted over time. */
export function countableParameters(window: TimeWindow, scopes: ScopeFilters, requests: RequestFilters) {
  // The list's interfaces are among those of the page.
  const within = requests.interface.length === 0 ? scopes : { ...scopes, interface: requests.interface };
  return {
    ...scopeParameters(window, within),
    code: [...requests.code],
    outcome: [...requests.outcome],
    exception: [...requests.exception],
  };
}

/** As `countableParameters`, with the filters that only single requests have. */
export function requestParameters(window: TimeWindow, scopes: ScopeFilters, requests: RequestFilters) {
  return {
    ...countableParameters(window, scopes, requests),
    ...(requests.requestId === '' ? {} : { request_id: requests.requestId }),
    ...(requests.latencyMsMin === null ? {} : { latency_ms_min: requests.latencyMsMin }),
  };
}

/** The API does not count over time by request id and delay. */
export function isCountable({ requestId, latencyMsMin }: RequestFilters): boolean {
  return requestId === '' && latencyMsMin === null;
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

function windowQuery(window: TimeWindow): URLSearchParams {
  const query = new URLSearchParams();
  if (window.from !== DEFAULT_WINDOW.from) query.set('from', window.from);
  if (window.to !== DEFAULT_WINDOW.to) query.set('to', window.to);
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

/** The SDKAppID of an address; null for any other text and for a number that is not exact. */
export function readApplicationId(text: string): number | null {
  const id = Number(text);
  return /^[1-9]\d{0,15}$/.test(text) && Number.isSafeInteger(id) ? id : null;
}
