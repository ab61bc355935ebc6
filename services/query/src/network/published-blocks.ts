/*
 * Which requests of a network prefix may be counted under its name, as SQL. The requests of an application and a prefix
 * are divided into blocks: those of a cell (five minutes) where they are enough, what is left of the cells of an hour
 * where it is enough, and likewise of a day. A block is published where it has enough logged requests and addresses, and
 * its system has enough others in the same cell, hour or day. Rows of answers are sums of published blocks that lie in
 * their window, so nothing smaller is found by subtracting answers. docs/network.md has the proof.
 */
import { latencyBucketSql } from '@imscope/schemas/latency-histogram.js';
import { asnOfKeySql, prefixKeySql } from '../figures/network-sql.js';
import { LATENCY_BUCKET_SQL } from '../figures/performance.js';
import { DAY_MS, HOUR_MS } from '../figures/time-window.js';
import { CELL_MS, isLargeSql, type Minimum } from '../figures/minimum.js';

/** Sums of requests: their value, and the condition on those that count. */
const SUMS: Readonly<Record<string, readonly [value: string, condition: string]>> = {
  rows: ['1', 'true'],
  requests: ['weight', 'true'],
  success: ['weight', `outcome = 'success'`],
  caller_error: ['weight', `outcome = 'caller_error'`],
  service_error: ['weight', `outcome = 'service_error'`],
  unknown: ['weight', `outcome = 'unknown'`],
  latency_sum_us: ['latency_us * weight', 'true'],
  rtt_requests: ['weight', 'rtt_us IS NOT NULL'],
  rtt_sum_us: ['ifNull(rtt_us, 0) * weight', 'true'],
};
const SUM_NAMES = Object.keys(SUMS);

/** Of each request that counts: buckets of delay and round trip, weight, weight where the round trip is known. */
const DELAYS_SQL = `(${LATENCY_BUCKET_SQL}, ${latencyBucketSql('ifNull(rtt_us, 0)')}, toUInt64(weight), if(rtt_us IS NULL, 0, toUInt64(weight)))`;
const NO_DELAYS_SQL = 'CAST([] AS Array(Tuple(Int16, Int16, UInt64, UInt64)))';

const KEYS_SQL = `sdk_app_id, ${prefixKeySql('exit_ip')} AS prefix_key,
    intDiv(toUnixTimestamp64Milli(time), ${CELL_MS}) AS cell`;

/**
 * The published blocks of cells: application, prefix key and cell, of all interfaces.
 * @param filterSql subject and span, of whole cells; no other filter
 */
export function publishedCellsSql(filterSql: string, minimum: Minimum): string {
  const groups = `
    SELECT *, ${asnOfKeySql('prefix_key')} AS asn, ${isLargeSql('logged', 'addresses', minimum)} AS is_large
    FROM (
      SELECT ${KEYS_SQL}, count() AS logged, uniqUpTo(${minimum.addresses})(exit_ip) AS addresses
      FROM request_log_kept
      WHERE ${filterSql}
      GROUP BY sdk_app_id, prefix_key, cell
    )`;
  return `
  SELECT sdk_app_id, arrayJoin(published) AS prefix_key, cell
  FROM (
    SELECT sdk_app_id, cell, ${publishedOfRegionSql(minimum)} AS published
    FROM (${groups})
    GROUP BY sdk_app_id, asn, cell
  )`;
}

/**
 * The published blocks of single interfaces, which are parts of published cells: application, prefix key, cell, interface.
 * @param filterSql subject and span, of whole cells; no other filter
 */
export function publishedInterfacesSql(filterSql: string, minimum: Minimum): string {
  const { requests, addresses } = minimum;
  const groups = `
    SELECT *, ${asnOfKeySql('prefix_key')} AS asn,
      (sdk_app_id, prefix_key, cell) IN (${publishedCellsSql(filterSql, minimum)})
        AND ${isLargeSql('logged', 'addresses', minimum)} AS may_show,
      sumIf(logged, NOT may_show) OVER interfaces AS rest_logged,
      maxIf(addresses, NOT may_show) OVER interfaces AS rest_addresses,
      row_number() OVER (PARTITION BY sdk_app_id, prefix_key, cell, may_show ORDER BY logged, interface) AS place,
      may_show AND (place > 1 OR rest_logged = 0
        OR (rest_logged >= ${requests} AND rest_addresses >= ${addresses})) AS is_large
    FROM (
      SELECT ${KEYS_SQL}, interface, count() AS logged, uniqUpTo(${addresses})(exit_ip) AS addresses
      FROM request_log_kept
      WHERE ${filterSql}
      GROUP BY sdk_app_id, prefix_key, cell, interface
    )
    WINDOW interfaces AS (PARTITION BY sdk_app_id, prefix_key, cell)`;
  return `
  SELECT sdk_app_id, arrayJoin(published) AS prefix_key, cell, interface
  FROM (
    SELECT sdk_app_id, cell, interface, ${publishedOfRegionSql(minimum)} AS published
    FROM (${groups})
    GROUP BY sdk_app_id, asn, cell, interface
  )`;
}

/**
 * The prefixes of one system and region whose blocks are published: all that are large, but for the smallest where the
 * rest of the system is not large. Prefixes have no address in common, so their numbers of addresses add up.
 */
function publishedOfRegionSql(minimum: Minimum): string {
  const rest = isLargeSql('sumIf(logged, NOT is_large)', 'sumIf(addresses, NOT is_large)', minimum);
  return `arrayFilter(key -> ${rest} OR key != argMinIf(prefix_key, (logged, prefix_key), is_large),
      groupArrayIf(prefix_key, is_large))`;
}

/**
 * Sums of what is published, one row for each application, prefix key and hour: `shown_…` of the columns of
 * `PUBLISHED_SUMS_SQL`. Hours that lie in the window in part hold cells alone.
 * @param filterSql subject and span (`from_ms`, `to_ms` are bound), of whole cells; no other filter
 * @param upTo `day`: blocks of days too, so that there is one row for each day
 */
export function publishedSumsSql(filterSql: string, upTo: 'hour' | 'day', minimum: Minimum): string {
  const each = SUM_NAMES.flatMap((name) => {
    const [value = '', condition = ''] = SUMS[name] ?? [];
    return [
      `sumIf(toUInt64(${value}), is_shown AND ${condition}) AS shown_${name}`,
      `sumIf(toUInt64(${value}), NOT is_shown AND ${condition}) AS open_${name}`,
    ];
  });
  const hours = `
  SELECT
    sdk_app_id, prefix_key, intDiv(cell, ${HOUR_MS / CELL_MS}) AS hour,
    ${asnOfKeySql('prefix_key')} AS asn,
    groupUniqArrayIf(${minimum.addresses})(exit_ip, NOT is_shown) AS addresses,
    ${each.join(',\n    ')},
    groupArrayIf(${DELAYS_SQL}, is_shown) AS shown_delays,
    groupArrayIf(${DELAYS_SQL}, NOT is_shown) AS open_delays
  FROM (
    SELECT ${KEYS_SQL}, (sdk_app_id, prefix_key, cell) IN (${publishedCellsSql(filterSql, minimum)}) AS is_shown,
      exit_ip, weight, outcome, latency_us, rtt_us
    FROM request_log_kept
    WHERE ${filterSql}
  )
  GROUP BY sdk_app_id, prefix_key, hour`;
  const published = publishOpenSql(hours, 'hour', HOUR_MS, minimum);
  return upTo === 'hour'
    ? published
    : publishOpenSql(joinHoursSql(published, minimum), 'day', DAY_MS, minimum);
}

/** Publishes the open requests of each hour or day that lies in the window and where they are enough. */
function publishOpenSql(blocks: string, region: 'hour' | 'day', lengthMs: number, minimum: Minimum): string {
  const within = `${region} * ${lengthMs} >= {from_ms:Int64} AND (${region} + 1) * ${lengthMs} <= {to_ms:Int64}`;
  const moved = SUM_NAMES.flatMap((name) => [
    `blocks.shown_${name} + if(is_published, blocks.open_${name}, 0) AS shown_${name}`,
    `if(is_published, 0, blocks.open_${name}) AS open_${name}`,
  ]);
  // One step after the other: columns that a step defines are planned again wherever it uses them.
  const sized = `
    SELECT *, ${within} AND ${isLargeSql('open_rows', 'length(addresses)', minimum)} AS is_large
    FROM (${blocks})`;
  const placed = `
    SELECT
      *,
      sumIf(open_rows, NOT is_large) OVER region AS rest_logged,
      sumIf(length(addresses), NOT is_large) OVER region AS rest_addresses,
      row_number() OVER (PARTITION BY sdk_app_id, asn, ${region}, is_large ORDER BY open_rows, prefix_key) AS place
    FROM (${sized})
    WINDOW region AS (PARTITION BY sdk_app_id, asn, ${region})`;
  const decided = `
    SELECT *, is_large AND (place > 1 OR ${isLargeSql('rest_logged', 'rest_addresses', minimum)}) AS is_published
    FROM (${placed})`;
  return `
  SELECT
    sdk_app_id, prefix_key, ${region}, asn, addresses, is_published,
    ${moved.join(',\n    ')},
    if(is_published, arrayConcat(blocks.shown_delays, blocks.open_delays), blocks.shown_delays) AS shown_delays,
    if(is_published, ${NO_DELAYS_SQL}, blocks.open_delays) AS open_delays
  FROM (${decided}) AS blocks`;
}

function joinHoursSql(hours: string, { addresses }: Minimum): string {
  const sums = SUM_NAMES.flatMap((name) => [`shown_${name}`, `open_${name}`]);
  return `
  SELECT
    sdk_app_id, prefix_key, intDiv(hour, ${DAY_MS / HOUR_MS}) AS day, asn,
    groupUniqArrayArrayIf(${addresses})(hours.addresses, hours.open_rows > 0) AS addresses,
    ${sums.map((name) => `sum(hours.${name}) AS ${name}`).join(',\n    ')},
    groupArrayArray(hours.shown_delays) AS shown_delays,
    groupArrayArray(hours.open_delays) AS open_delays
  FROM (${hours}) AS hours
  GROUP BY sdk_app_id, prefix_key, day, asn`;
}

const p95Sql = (bucket: number, weight: number): string =>
  `arrayReduce('quantileExactWeighted(0.95)', tupleElement(groupArrayArray(shown_delays), ${bucket}),
    tupleElement(groupArrayArray(shown_delays), ${weight}))`;

/** Columns over the rows of `publishedSumsSql`: those of `NetworkSums`. */
export const PUBLISHED_COLUMNS_SQL = `${SUM_NAMES.map((name) => `sum(shown_${name}) AS ${name}`).join(',\n  ')},
  ${p95Sql(1, 3)} AS latency_p95_bucket,
  ${p95Sql(2, 4)} AS rtt_p95_bucket`;

/** The same columns over logged requests themselves. */
export const LOGGED_COLUMNS_SQL = `${SUM_NAMES.map((name) => {
  const [value = '', condition = ''] = SUMS[name] ?? [];
  return `sumIf(toUInt64(${value}), ${condition}) AS ${name}`;
}).join(',\n  ')},
  quantileExactWeighted(0.95)(${LATENCY_BUCKET_SQL}, weight) AS latency_p95_bucket,
  quantileExactWeightedIf(0.95)(${latencyBucketSql('ifNull(rtt_us, 0)')}, weight, rtt_us IS NOT NULL) AS rtt_p95_bucket`;
