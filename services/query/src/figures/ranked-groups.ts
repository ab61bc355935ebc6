/*
 * Groups of requests in two steps. The first ranks the groups by their sums alone. The second reads everything again by
 * the place in that list, 0 for all groups that are not listed: then histograms are built for the listed groups only, and
 * what is listed and the rest add up to all, because one query counts both.
 */
import type { Dimension } from '@imscope/schemas/query-api/dimensions.js';
import { Type } from 'typebox';
import { type Ask, defineStoreQuery, type QueryParams } from '../store/ask-store.js';
import { columnOf, type StoredValue } from './dimensions.js';
import type { Minimum } from './minimum.js';
import { type Grouping, performanceQuery } from './performance.js';
import type { Span } from './plan.js';
import { markShownSql, namesProviders, sizeColumns } from './shown-groups.js';

/** Orders of groups, for ORDER BY. */
export const GROUP_ORDERS = {
  lost: 'service_error DESC, requests DESC',
  requests: 'requests DESC',
  // Without a success and a service error last.
  success_rate: `if(success + service_error = 0, 2, success / (success + service_error)), requests DESC`,
  latency_avg: 'latency_sum_us / requests DESC, requests DESC',
} as const;
export type GroupOrder = keyof typeof GROUP_ORDERS;

export type RankedGroups = {
  readonly dimensions: readonly Dimension[];
  /** Their values, one for each dimension; the group at index i has the place i + 1. */
  readonly listed: readonly (readonly StoredValue[])[];
  /** All groups, listed or not. */
  readonly count: number;
  /** Of them, those that may not be listed, because they are about too few requests or addresses. */
  readonly withheld: number;
};

/** Of no dimension. */
export const NO_GROUPS: RankedGroups = { dimensions: [], listed: [], count: 0, withheld: 0 };

const KEYS = ['key_0', 'key_1'];
const Key = Type.Union([Type.String(), Type.Number()]);
const RANKED = defineStoreQuery(
  'ranked_groups',
  Type.Object({
    key_0: Key,
    key_1: Type.Optional(Key),
    is_shown: Type.Boolean(),
    total: Type.Number(),
    withheld: Type.Number(),
  }),
);

/**
 * @param span its metrics have all dimensions, or it has none
 * @param by.minimum of groups that name a provider
 */
export async function rankGroups(
  ask: Ask,
  { filter, window, metrics }: Span,
  by: {
    readonly dimensions: readonly Dimension[];
    readonly order: GroupOrder;
    readonly limit: number;
    readonly minimum: Minimum;
  },
  signal: AbortSignal,
): Promise<RankedGroups> {
  const { dimensions, order, limit, minimum } = by;
  const isLimited = namesProviders(dimensions, filter);
  const sizes = isLimited ? sizeColumns(minimum) : { logs: [], outer: [] };
  const keys = KEYS.slice(0, dimensions.length).join(', ');
  const grouping: Grouping = {
    key: keys,
    logs: [keysSql(dimensions, 'logs'), ...sizes.logs],
    metrics: [keysSql(dimensions, 'metrics')],
    rollup: {
      needs: rollupNeeds(dimensions),
      columns: [keysSql(dimensions, 'metrics')],
    },
    outer: [keys, ...sizes.outer],
  };
  const sums = performanceQuery(grouping, filter, window, metrics, 'counts');
  const own = dimensions.length === 1 && dimensions[0] === 'isp';
  const groups = isLimited
    ? markShownSql(sums.sql, KEYS.slice(0, dimensions.length), minimum, own)
    : `SELECT *, true AS is_shown FROM (${sums.sql})`;
  const sql = `
SELECT ${keys}, toBool(is_shown) AS is_shown, count() OVER () AS total, countIf(NOT is_shown) OVER () AS withheld
FROM (${groups}
) AS marked
ORDER BY marked.is_shown DESC, ${GROUP_ORDERS[order]}, ${keys}
LIMIT {groups_max:UInt32}`;
  const rows = await ask(RANKED, sql, { ...sums.params, groups_max: limit }, signal);
  return {
    dimensions,
    listed: rows
      .filter((row) => row.is_shown)
      .map(({ key_0, key_1 }) => (key_1 === undefined ? [key_0] : [key_0, key_1])),
    count: rows[0]?.total ?? 0,
    withheld: rows[0]?.withheld ?? 0,
  };
}

function keysSql(dimensions: readonly Dimension[], source: 'logs' | 'metrics'): string {
  return dimensions
    .map((dimension, index) => `${columnSql(dimension, source)} AS key_${index}`)
    .join(',\n      ');
}

/** Which rollups of ended hours can be grouped by these dimensions, where metrics can. */
export function rollupNeeds(dimensions: readonly Dimension[]): 'application' | 'interface' {
  return dimensions.every((dimension) => dimension === 'application') ? 'application' : 'interface';
}

/** For grouping by place: the expression of a row's place, over the logs and over the metrics, and its bound values. */
export type Places = { readonly logs: string; readonly metrics: string; readonly params: QueryParams };

/** Above the greatest index of a value, so that a pair of indexes is one number. */
const INDEX_BASE = 1_001;

/** One value, or a pair, is looked up by its index in the list of the values: cheaper than comparing texts in each row. */
export function placesOf({ dimensions, listed }: RankedGroups): Places {
  // Nothing to look up, and the store cannot tell the type of an empty list.
  if (listed.length === 0) return { logs: 'toUInt16(0)', metrics: 'toUInt16(0)', params: {} };
  const values = dimensions.map((_, at) => [...new Set(listed.map((group) => group[at] ?? ''))]);
  const params: Record<string, QueryParams[string]> = {};
  for (const [at, list] of values.entries()) {
    params[`values_${at}`] = asList(list);
    params[`indexes_${at}`] = list.map((_, index) => index + 1);
  }
  const indexSql = (source: 'logs' | 'metrics', at: number): string => {
    const dimension = dimensions[at];
    if (dimension === undefined) throw new Error('a group has more values than dimensions');
    const { type } = columnOf(dimension);
    return `transform(${columnSql(dimension, source)}, {values_${at}:Array(${type})}, {indexes_${at}:Array(UInt16)}, toUInt16(0))`;
  };
  // The values of a single dimension are in the order of the list.
  if (dimensions.length === 1) return { logs: indexSql('logs', 0), metrics: indexSql('metrics', 0), params };
  const placeSql = (source: 'logs' | 'metrics'): string =>
    `transform(toUInt32(${indexSql(source, 0)} * ${INDEX_BASE} + ${indexSql(source, 1)}), {pairs:Array(UInt32)}, {places:Array(UInt16)}, toUInt16(0))`;
  const indexOf = (group: readonly StoredValue[], at: number): number =>
    (values[at]?.indexOf(group[at] ?? '') ?? -1) + 1;
  return {
    logs: placeSql('logs'),
    metrics: placeSql('metrics'),
    params: {
      ...params,
      pairs: listed.map((group) => indexOf(group, 0) * INDEX_BASE + indexOf(group, 1)),
      places: listed.map((_, index) => index + 1),
    },
  };
}

function columnSql(dimension: Dimension, source: 'logs' | 'metrics'): string {
  const column = columnOf(dimension);
  // Never read: without the column in the metrics, all comes from the logs.
  return source === 'logs' ? column.logs : (column.metrics ?? "''");
}

function asList(values: readonly StoredValue[]): readonly number[] | readonly string[] {
  const numbers = values.filter((value) => typeof value === 'number');
  return numbers.length === values.length ? numbers : values.map(String);
}
