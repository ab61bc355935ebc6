/*
 * `network` and `fleetNetwork`: which networks do requests come from, how well does each do, and which does worse than
 * usual? No row is about fewer requests and addresses than the minimum (`network/`, docs/network.md).
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Network, NetworkKind, NetworkQuery, NetworkRow } from '@imscope/schemas/query-api/network.js';
import { filterOf, filterOver, type Filter } from '../figures/filter.js';
import type { PlanInput, RequestPlan } from '../figures/plan.js';
import { successRate } from '../figures/sums.js';
import { LOG_TERM_MS, resolveWindow, type TimeWindow } from '../figures/time-window.js';
import { askGroups, askOverall, type Group, type GroupKind, GROUPS_MAX } from '../network/ask-groups.js';
import { askPrefixes, askPrefixOverall, type Prefix, type PrefixAsk } from '../network/ask-prefixes.js';
import { compareUsual, compareWorseThanUsual } from '../network/compare-usual.js';
import { daysBefore, resolveGridWindow } from '../network/grid-window.js';
import { askPrefixDetail } from '../network/prefix-detail.js';
import { requireInterfaceAlone } from '../network/prefix-filters.js';
import { prefixText } from '../network/prefix-text.js';
import {
  networkFiguresOf,
  type NetworkSums,
  NO_SUMS,
  outcomesOf,
  shareOf,
  without,
} from '../network/network-sums.js';
import type { Networks } from '../network/networks.js';
import { shownGroups } from '../network/shown-groups.js';
import { type AnswerBounds, FLAT_ROWS, MIB } from '../store/answer-bounds.js';
import type { Ask } from '../store/ask-store.js';
import { requestQuestion } from './question.js';

const ROWS_MAX = 200;

/** Twice 20,000 groups of 300 bytes, now and before; 200 are answered with 1 KiB each. */
const BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: GROUPS_MAX,
  bytes: 14 * MIB,
  bytesPerPoint: 0,
  memoryPerByte: FLAT_ROWS,
};

type NetworkPlan = RequestPlan & {
  readonly by: NetworkKind;
  readonly networks: Networks;
  readonly interfaces: readonly string[];
  /** Of the one prefix that is asked for. */
  readonly prefixKey: number | undefined;
  /** The window of the usual; null where part of it has expired. */
  readonly before: TimeWindow | null;
};

type Asked = {
  readonly ask: Ask;
  readonly plan: NetworkPlan;
  readonly window: TimeWindow;
  readonly signal: AbortSignal;
};

const DEFINITION = {
  bounds: BOUNDS,
  source: 'logs',
  plan: planNetwork,
  answer: async (asked: Asked) => ({ data: await answerNetwork(asked) }),
} as const;

export const network = requestQuestion('network', DEFINITION);
export const fleetNetwork = requestQuestion('fleetNetwork', DEFINITION);

function planNetwork(input: PlanInput<NetworkQuery> & { readonly networks: Networks }): NetworkPlan {
  const { subject, query, nowMs, networks } = input;
  const { by = query.network === undefined ? 'isp' : 'prefix', network: id, from, to, ...filters } = query;
  const isOfPrefixes = by === 'prefix';
  if (!isOfPrefixes && id !== undefined) {
    throw new HttpError(
      'invalid_parameter',
      `by is "${by}" and network names one prefix: give by=prefix, or none`,
    );
  }
  const span = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  const window = isOfPrefixes ? resolveGridWindow(span, nowMs) : resolveWindow(span, nowMs);
  if (isOfPrefixes) requireInterfaceAlone(filters);
  // Interfaces are a condition on published blocks, not on the requests that blocks are made of.
  const filter = filterOf(subject, window, isOfPrefixes ? {} : filters);
  return {
    window,
    stepMs: null,
    points: 0,
    filter,
    metricsCan: false,
    by,
    networks,
    interfaces: isOfPrefixes ? (filters.interface ?? []) : [],
    prefixKey: id === undefined ? undefined : networks.ids.open(id, nowMs),
    before: daysBefore(window, nowMs),
  };
}

async function answerNetwork({ ask, plan, window, signal }: Asked): Promise<Network> {
  const { by, networks, filter, interfaces, prefixKey } = plan;
  const { minimum } = networks;
  const asked = { ask, filter, minimum, signal };
  const found =
    by === 'prefix'
      ? await findPrefixes({ ...asked, window, interfaces }, plan)
      : await findGroups(asked, by, plan.before);
  const { overall, shown, hidden } = found;
  const rows = shown
    .map((group) => rowOf(group, by, found, (key) => networks.ids.seal(key, window.toMs + LOG_TERM_MS)))
    .toSorted(compareWorseThanUsual);
  return {
    by,
    minimum: { ...minimum },
    overall: networkFiguresOf(overall),
    rows: rows.slice(0, ROWS_MAX),
    rows_left_out: found.total - Math.min(rows.length, ROWS_MAX),
    not_shown: {
      requests: hidden.requests,
      share: shareOf(hidden.requests, overall.requests),
      outcomes: outcomesOf(hidden),
      success_rate: successRate(hidden.success, hidden.service_error),
    },
    prefix:
      prefixKey === undefined
        ? null
        : await askPrefixDetail({ ...asked, window, interfaces }, prefixKey, shown[0]?.requests ?? 0),
  };
}

type Named = NetworkSums & {
  readonly name: string;
  readonly asn: number;
  readonly isp: string;
  readonly prefixKey: number | undefined;
};
type Found = {
  readonly overall: NetworkSums;
  readonly shown: readonly Named[];
  /** Shown, with those beyond the bound of the query. */
  readonly total: number;
  readonly hidden: NetworkSums;
  readonly before: ReadonlyMap<string, NetworkSums>;
};

async function findGroups(
  asked: { ask: Ask; filter: Filter; minimum: Networks['minimum']; signal: AbortSignal },
  by: GroupKind,
  before: TimeWindow | null,
): Promise<Found> {
  const [overall, groups, groupsBefore] = await Promise.all([
    askOverall(asked),
    askGroups(asked, by),
    before === null ? [] : askGroups({ ...asked, filter: filterOver(asked.filter, before) }, by),
  ]);
  const named = (of: readonly Group[]): Named[] =>
    shownGroups(of, asked.minimum, by !== 'region').map((group) => ({ ...group, prefixKey: undefined }));
  const shown = named(groups);
  return {
    overall,
    shown,
    total: shown.length,
    hidden: without(overall, shown),
    before: new Map(named(groupsBefore).map((group) => [group.name, group])),
  };
}

async function findPrefixes(asked: PrefixAsk, { prefixKey, before }: NetworkPlan): Promise<Found> {
  const { filter } = asked;
  const keys = prefixKey === undefined ? [] : [prefixKey];
  const [overall, prefixes] = await Promise.all([askPrefixOverall(asked), askPrefixes(asked, keys)]);
  const prefixesBefore =
    before === null || prefixes.length === 0
      ? []
      : await askPrefixes(
          { ...asked, window: before, filter: filterOver(filter, before) },
          prefixes.map((prefix) => prefix.prefix_key),
        );
  return {
    overall,
    shown: prefixes.map(namedPrefix),
    total: prefixes[0]?.total ?? 0,
    hidden: without(overall, [shownSums(prefixes)]),
    before: new Map(prefixesBefore.map(namedPrefix).map((prefix) => [prefix.name, prefix])),
  };
}

function namedPrefix(prefix: Prefix): Named {
  return { ...prefix, name: prefixText(prefix.prefix_key), prefixKey: prefix.prefix_key };
}

/** All published blocks together, also those beyond the bound of the query. */
function shownSums([first]: readonly Prefix[]): NetworkSums {
  const [rows = 0, requests = 0, success = 0, caller_error = 0, service_error = 0, unknown = 0] =
    first?.shown ?? [];
  return { ...NO_SUMS, rows, requests, success, caller_error, service_error, unknown };
}

function rowOf(
  group: Named,
  by: NetworkKind,
  { overall, before }: Found,
  idOf: (prefixKey: number) => string,
): NetworkRow {
  return {
    name: group.name,
    asn: by === 'asn' || by === 'prefix' ? group.asn : null,
    isp: by === 'region' ? null : group.isp,
    id: group.prefixKey === undefined ? null : idOf(group.prefixKey),
    ...networkFiguresOf(group),
    share: shareOf(group.requests, overall.requests),
    ...compareUsual(group, before.get(group.name), overall),
  };
}
