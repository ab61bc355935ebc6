/*
 * The store queries of `network` by prefix: sums over published blocks.
 */
import { type Static, Type } from 'typebox';
import { CODE, OUTCOME } from '../figures/code-counts.js';
import { asnOfKeySql, ispOfAsnSql, prefixKeySql } from '../figures/network-sql.js';
import { DAY_MS, HOUR_MS, type TimeWindow } from '../figures/time-window.js';
import { defineStoreQuery } from '../store/ask-store.js';
import { askOverall, type NetworkAsk } from './ask-groups.js';
import { CELL_MS } from '../figures/minimum.js';
import { NETWORK_SUMS, type NetworkSums } from './network-sums.js';
import {
  LOGGED_COLUMNS_SQL,
  publishedCellsSql,
  publishedInterfacesSql,
  publishedSumsSql,
  PUBLISHED_COLUMNS_SQL,
} from './published-blocks.js';

/** Prefixes of one query: those with the most service errors, then the most requests. All are counted in `shown`. */
export const PREFIXES_MAX = 2_000;
export const INTERFACES_MAX = 100;
export const CODES_MAX = 50;
/** Below, steps are five minutes. */
const HOURLY_FROM_MS = 3 * HOUR_MS;

const Prefix = Type.Object({
  prefix_key: Type.Number(),
  asn: Type.Number(),
  isp: Type.String(),
  ...NETWORK_SUMS,
  total: Type.Number(),
  /** Of all published blocks: rows, requests, success, caller errors, service errors, unknown. */
  shown: Type.Tuple(Array.from({ length: 6 }, () => Type.Number())),
});
export type Prefix = Static<typeof Prefix>;
const PREFIXES = defineStoreQuery('network_prefixes', Prefix);
const STEPS = defineStoreQuery('network_steps', Type.Object({ step: Type.Number(), ...NETWORK_SUMS }));
const INTERFACES = defineStoreQuery(
  'network_interfaces',
  Type.Object({ interface: Type.String(), ...NETWORK_SUMS }),
);
const CODES = defineStoreQuery(
  'network_codes',
  Type.Object({ code: CODE, outcome: OUTCOME, requests: Type.Number() }),
);

export type PrefixAsk = NetworkAsk & {
  /** Whole cells. The filter is over it, and has no other condition than the subject. */
  readonly window: TimeWindow;
  /** Empty: all. */
  readonly interfaces: readonly string[];
};

const KEY_SQL = prefixKeySql('exit_ip');
const CELL_SQL = `intDiv(toUnixTimestamp64Milli(time), ${CELL_MS})`;
const HOUR_SQL = `intDiv(toUnixTimestamp64Milli(time), ${HOUR_MS})`;
const SHOWN_SQL = ['rows', 'requests', 'success', 'caller_error', 'service_error', 'unknown']
  .map((name) => `sum(${name}) OVER ()`)
  .join(', ');

/** @param keys prefixes to list; empty: all */
export function askPrefixes(asked: PrefixAsk, keys: readonly number[]): Promise<readonly Prefix[]> {
  const { ask, filter, interfaces, signal } = asked;
  const listed = keys.length === 0 ? 'true' : 'has({prefix_keys:Array(UInt64)}, prefix_key)';
  const sql = `
SELECT * EXCEPT part, ${asnOfKeySql('prefix_key')} AS asn, ${ispOfAsnSql('asn')} AS isp,
  count() OVER () AS total, (${SHOWN_SQL}) AS shown
FROM (${prefixSumsSql(asked)})
WHERE ${listed}
ORDER BY service_error DESC, requests DESC, prefix_key
LIMIT ${PREFIXES_MAX}`;
  return ask(PREFIXES, sql, { ...filter.params, prefix_keys: keys, interfaces }, signal);
}

/** All requests that the blocks are part of. */
export function askPrefixOverall(asked: PrefixAsk): Promise<NetworkSums> {
  const { filter, interfaces } = asked;
  if (interfaces.length === 0) return askOverall(asked);
  const sql = `${filter.sql} AND interface IN {interfaces:Array(String)}`;
  return askOverall({ ...asked, filter: { ...filter, sql, params: { ...filter.params, interfaces } } });
}

/**
 * What a prefix may be divided by: blocks are of one application, and their parts of one interface. Nothing else divides
 * blocks, see docs/network.md.
 */
export type PrefixPart = 'interface' | 'application';
const PART_COLUMNS: Readonly<Record<PrefixPart, string>> = {
  interface: 'interface',
  application: 'sdk_app_id',
};

/** Sums over published blocks by `prefix_key` and `part`, which is empty without one. */
export function prefixSumsSql(asked: PrefixAsk, part?: PrefixPart): string {
  const { filter, minimum, window, interfaces } = asked;
  const partSql = `${part === undefined ? `''` : PART_COLUMNS[part]} AS part`;
  if (interfaces.length > 0 || part === 'interface') {
    return `
  SELECT ${KEY_SQL} AS prefix_key, ${partSql}, ${LOGGED_COLUMNS_SQL}
  FROM request_log_kept
  WHERE ${publishedInterfaceFilter(asked)}
  GROUP BY prefix_key, part`;
  }
  return `
  SELECT prefix_key, ${partSql}, ${PUBLISHED_COLUMNS_SQL}
  FROM (${publishedSumsSql(filter.sql, holdsDay(window) ? 'day' : 'hour', minimum)})
  WHERE shown_rows > 0
  GROUP BY prefix_key, part`;
}

/** The trend of one prefix: published blocks by hour, or by cell in a short window. */
export async function askSteps(asked: PrefixAsk, key: number) {
  const { ask, filter, minimum, window, signal } = asked;
  const isHourly = window.toMs - window.fromMs >= HOURLY_FROM_MS;
  const hourly = `
SELECT hour AS step, ${PUBLISHED_COLUMNS_SQL}
FROM (${publishedSumsSql(filter.sql, 'hour', minimum)})
WHERE shown_rows > 0 AND prefix_key = {prefix_key:UInt64}
GROUP BY step
ORDER BY step`;
  const byCell = `
SELECT ${CELL_SQL} AS step, ${LOGGED_COLUMNS_SQL}
FROM request_log_kept
WHERE ${filter.sql} AND ${KEY_SQL} = {prefix_key:UInt64}
  AND (sdk_app_id, ${KEY_SQL}, step) IN (${publishedCellsSql(filter.sql, minimum)})
GROUP BY step
ORDER BY step`;
  const params = { ...filter.params, prefix_key: key };
  const rows = await ask(STEPS, isHourly ? hourly : byCell, params, signal);
  const stepMs = isHourly ? HOUR_MS : CELL_MS;
  return rows.map(({ step, ...sums }) => ({ startMs: step * stepMs, sums }));
}

/** The interfaces of one prefix that are published, most used first. */
export function askInterfaces(asked: PrefixAsk, key: number) {
  const { ask, filter, interfaces, signal } = asked;
  const sql = `
SELECT interface, ${LOGGED_COLUMNS_SQL}
FROM request_log_kept
WHERE ${publishedInterfaceFilter(asked)} AND ${KEY_SQL} = {prefix_key:UInt64}
GROUP BY interface
ORDER BY requests DESC, interface
LIMIT ${INTERFACES_MAX}`;
  return ask(INTERFACES, sql, { ...filter.params, prefix_key: key, interfaces }, signal);
}

/** The codes of one prefix's published blocks of cells and hours, or of the interfaces given; most frequent first. */
export function askCodes(asked: PrefixAsk, key: number) {
  const { ask, filter, minimum, interfaces, signal } = asked;
  const published =
    interfaces.length > 0
      ? publishedInterfaceFilter(asked)
      : `${filter.sql} AND ((sdk_app_id, ${KEY_SQL}, ${CELL_SQL}) IN (${publishedCellsSql(filter.sql, minimum)})
    OR (sdk_app_id, ${KEY_SQL}, ${HOUR_SQL}) IN (
      SELECT sdk_app_id, prefix_key, hour
      FROM (${publishedSumsSql(filter.sql, 'hour', minimum)})
      WHERE is_published))`;
  const sql = `
SELECT code, outcome, sum(weight) AS requests
FROM request_log_kept
WHERE ${published} AND ${KEY_SQL} = {prefix_key:UInt64}
GROUP BY code, outcome
ORDER BY requests DESC, code, outcome
LIMIT ${CODES_MAX}`;
  return ask(CODES, sql, { ...filter.params, prefix_key: key, interfaces }, signal);
}

/** Requests of published blocks of the interfaces given, or of all. */
function publishedInterfaceFilter({ filter, minimum, interfaces }: PrefixAsk): string {
  const given = interfaces.length === 0 ? 'true' : 'interface IN {interfaces:Array(String)}';
  return `${filter.sql} AND ${given}
    AND (sdk_app_id, ${KEY_SQL}, ${CELL_SQL}, interface) IN (${publishedInterfacesSql(filter.sql, minimum)})`;
}

function holdsDay({ fromMs, toMs }: TimeWindow): boolean {
  return (Math.ceil(fromMs / DAY_MS) + 1) * DAY_MS <= toMs;
}
