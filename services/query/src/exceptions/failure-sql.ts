/*
 * SQL of failures by exception, code and shape of the cause. Three steps: rows are summed by cause, since causes repeat;
 * the sums are gathered in one block, since the store compiles the patterns of shapes once a block (2 ms); shapes are
 * made and summed.
 */
import { HOUR_MS } from '../figures/time-window.js';
import { shapeSql } from '../grouping/cause-shape.js';

/** What the questions about exceptions count. */
export const FAILURE_SQL = "(outcome = 'service_error' OR exception != '')";

/** Fields whose values are counted; text for the store. */
export const PLACES = {
  interface: 'toString(interface)',
  node: 'toString(node)',
  region: 'toString(region)',
  platform: 'toString(platform)',
  sdk_version: 'toString(sdk_version)',
  application: 'toString(sdk_app_id)',
} as const;
export type Place = keyof typeof PLACES;

/** Shapes that one answer groups, and their bytes with all that is counted of them; what is beyond is summed. */
export const SHAPES_MAX = 5_000;
const SHAPE_BYTES_MAX = 6 << 20;
const SAMPLES_MAX = 3;

/** @param condition on rows of `request_log_kept` @param places the fields whose values are counted */
export function failuresSql(condition: string, places: readonly Place[]): string {
  const bytes = places.map((place) => `+ 16 * length(${place}_sums.1)`).join(' ');
  return `
SELECT * EXCEPT bytes_so_far
FROM (
  SELECT
    *,
    count() OVER () AS shapes_total,
    sum(requests) OVER () AS requests_total,
    sum(length(shape) + 16 * length(trend.1) + 200 ${bytes})
      OVER (ORDER BY service_error DESC, requests DESC, exception, code, shape) AS bytes_so_far
  FROM (${shapesSql(condition, places)}
  )
)
WHERE bytes_so_far <= ${SHAPE_BYTES_MAX}
ORDER BY bytes_so_far
LIMIT ${SHAPES_MAX}`;
}

/** The columns of a cause, as places of the tuples that are gathered. */
const FIRST_PLACE = 9;

function shapesSql(condition: string, places: readonly Place[]): string {
  const parts = places.map(
    (place, at) =>
      `failure.${FIRST_PLACE + 2 * at} AS ${place}_values, failure.${FIRST_PLACE + 2 * at + 1} AS ${place}_weights`,
  );
  const sums = places.map((place) => `sumMap(${place}_values, ${place}_weights) AS ${place}_sums`);
  return `
    SELECT
      exception, code, shape,
      sum(c_requests) AS requests,
      sumIf(c_requests, outcome = 'success') AS success,
      sumIf(c_requests, outcome = 'caller_error') AS caller_error,
      sumIf(c_requests, outcome = 'service_error') AS service_error,
      sumIf(c_requests, outcome = 'unknown') AS unknown,
      min(c_first_ms) AS first_ms,
      max(c_last_ms) AS last_ms,
      sumMap(c_steps, c_step_requests) AS trend,
      ${sums.join(',\n      ')},
      groupArraySorted(${SAMPLES_MAX})((-toInt64(c_requests), cause, c_last_ms, c_application)) AS samples
    FROM (
      SELECT
        exception, code,
        ${shapeSql('failure.1')} AS shape,
        failure.1 AS cause,
        failure.2 AS outcome,
        failure.3 AS c_requests,
        failure.4 AS c_first_ms,
        failure.5 AS c_last_ms,
        failure.6 AS c_application,
        failure.7 AS c_steps,
        failure.8 AS c_step_requests,
        ${parts.join(',\n        ')}
      FROM (${gatheredSql(condition, places)}
      )
      ARRAY JOIN failures AS failure
    )
    GROUP BY exception, code, shape`;
}

function gatheredSql(condition: string, places: readonly Place[]): string {
  const counted = places.map((place) => `sumMap([${PLACES[place]}], [toUInt64(weight)]) AS ${place}_counts`);
  const columns = places.map((place) => `${place}_counts.1, ${place}_counts.2`);
  return `
        SELECT
          exception, code,
          groupArray((cause, outcome, c_requests, c_first_ms, c_last_ms, c_application, c_trend.1, c_trend.2,
            ${columns.join(', ')})) AS failures
        FROM (
          SELECT
            exception, code, outcome, cause,
            sum(weight) AS c_requests,
            toUnixTimestamp64Milli(min(time)) AS c_first_ms,
            toUnixTimestamp64Milli(max(time)) AS c_last_ms,
            argMax(sdk_app_id, time) AS c_application,
            sumMap([intDiv(toUnixTimestamp64Milli(time), {step_ms:Int64})], [toUInt64(weight)]) AS c_trend,
            ${counted.join(',\n            ')}
          FROM request_log_kept
          WHERE ${FAILURE_SQL} AND ${condition}
          GROUP BY exception, code, outcome, cause
        )
        GROUP BY exception, code`;
}

/** When failures of each shape were seen: first, last, and a bit for each hour after `first_hour`, since 1970. */
export function historySql(condition: string): string {
  return `
SELECT
  exception, code, shape,
  min(c_first_ms) AS first_ms,
  max(c_last_ms) AS last_ms,
  hex(groupBitOr(c_hours)) AS hours,
  count() OVER () AS shapes_total
FROM (
  SELECT
    exception, code,
    ${shapeSql('failure.1')} AS shape,
    failure.2 AS c_first_ms,
    failure.3 AS c_last_ms,
    failure.4 AS c_hours
  FROM (
    SELECT exception, code, groupArray((cause, c_first_ms, c_last_ms, c_hours)) AS failures
    FROM (
      SELECT
        exception, code, cause,
        toUnixTimestamp64Milli(min(time)) AS c_first_ms,
        toUnixTimestamp64Milli(max(time)) AS c_last_ms,
        groupBitOr(bitShiftLeft(
          toUInt256(1),
          toUInt8(intDiv(toUnixTimestamp64Milli(time), ${HOUR_MS}) - {first_hour:Int64})
        )) AS c_hours
      FROM request_log_kept
      WHERE ${FAILURE_SQL} AND ${condition}
      GROUP BY exception, code, cause
    )
    GROUP BY exception, code
  )
  ARRAY JOIN failures AS failure
)
GROUP BY exception, code, shape
ORDER BY last_ms DESC, exception, code, shape
LIMIT ${SHAPES_MAX}`;
}
