/*
 * Builds one hour of `hour_rollup`, or what has passed of it, under a version of its own; see
 * schemas/clickhouse/0011_hour_rollup.sql and 0016. That the version is complete is recorded last, so an interrupted build is
 * never read.
 */

/** Runs one statement with bound parameters. */
export type Command = (sql: string, params: Readonly<Record<string, unknown>>) => Promise<void>;

/** The sums of an hour, or what the logs hold of it. */
export type BuildKind = 'metrics_built' | 'logs_counted';

export type Build = {
  readonly kind: BuildKind;
  readonly hourMs: number;
  /** The end of what is built: the end of the hour, or ten minutes of it that have passed. */
  readonly toMs: number;
  readonly version: number;
};

const HOUR_SQL = (column: string): string =>
  `${column} >= fromUnixTimestamp64Milli({hour_ms:Int64}, 'UTC') AND ${column} < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')`;

/** Columns of every kind that holds sums, in the order of `SUMS`. */
const SUMMED = `success, caller_error, service_error, unknown, latency_sum_us, latency_max_us, latency_histogram,
  logged_weight`;
/** Over rows named `m`. */
const SUMS = `sum(m.success), sum(m.caller_error), sum(m.service_error), sum(m.unknown), sum(m.latency_sum_us),
  max(m.latency_max_us), sumMap(m.latency_histogram), sum(m.logged_weight)`;

const TEN_MINUTES_SQL = `
INSERT INTO hour_rollup (kind, window_start, version, sdk_app_id, ${SUMMED}, last_window, interfaces)
SELECT 'application_10m', toStartOfInterval(m.window_start, INTERVAL 10 MINUTE) AS slice, {version:UInt64},
  m.sdk_app_id, ${SUMS}, max(m.window_start), groupUniqArray(m.interface)
FROM interface_metric AS m
WHERE ${HOUR_SQL('m.window_start')}
GROUP BY slice, m.sdk_app_id`;

/** Out of the ten minutes of the same build. */
const APPLICATIONS_SQL = `
INSERT INTO hour_rollup (kind, window_start, version, sdk_app_id, ${SUMMED}, last_window, interfaces)
SELECT 'application_hour', fromUnixTimestamp64Milli({hour_ms:Int64}, 'UTC'), {version:UInt64},
  m.sdk_app_id, ${SUMS}, max(m.last_window), groupUniqArrayArray(m.interfaces)
FROM hour_rollup AS m
WHERE m.kind = 'application_10m' AND m.version = {version:UInt64} AND ${HOUR_SQL('m.window_start')}
GROUP BY m.sdk_app_id`;

const INTERFACES_SQL = `
INSERT INTO hour_rollup (kind, window_start, version, sdk_app_id, interface, region, ${SUMMED}, last_window, codes)
SELECT 'interface_hour', fromUnixTimestamp64Milli({hour_ms:Int64}, 'UTC'), {version:UInt64},
  m.sdk_app_id, m.interface, m.region, ${SUMS}, max(m.window_start), sumMap(m.codes)
FROM interface_metric AS m
WHERE ${HOUR_SQL('m.window_start')}
GROUP BY m.sdk_app_id, m.interface, m.region`;

const LOGGED_SQL = `
INSERT INTO hour_rollup (kind, window_start, version, sdk_app_id, log_rows, log_weight)
SELECT 'logged', fromUnixTimestamp64Milli({hour_ms:Int64}, 'UTC'), {version:UInt64}, sdk_app_id, count(), sum(weight)
FROM request_log
WHERE ${HOUR_SQL('time')}
GROUP BY sdk_app_id`;

const CODED_SQL = `
INSERT INTO hour_rollup (kind, window_start, version, sdk_app_id, interface, code, outcome, log_weight)
SELECT 'coded', fromUnixTimestamp64Milli({hour_ms:Int64}, 'UTC'), {version:UInt64}, sdk_app_id, interface, code, outcome,
  sum(weight)
FROM request_log
WHERE ${HOUR_SQL('time')} AND (outcome != 'success' OR code != 0 OR code IS NULL)
GROUP BY sdk_app_id, interface, code, outcome`;

const COMPLETE_SQL = `
INSERT INTO hour_rollup_build (kind, window_start, version, covers_to)
SELECT {kind:String}, fromUnixTimestamp64Milli({hour_ms:Int64}, 'UTC'), {version:UInt64},
  fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')`;

const STATEMENTS: Readonly<Record<BuildKind, readonly string[]>> = {
  metrics_built: [TEN_MINUTES_SQL, APPLICATIONS_SQL, INTERFACES_SQL, COMPLETE_SQL],
  logs_counted: [LOGGED_SQL, CODED_SQL, COMPLETE_SQL],
};

/** Rejects where a statement fails: rows of a version that is not complete are deleted by a later pass. */
export async function buildHour(command: Command, { kind, hourMs, toMs, version }: Build): Promise<void> {
  const params = { kind, hour_ms: hourMs, to_ms: toMs, version };
  for (const sql of STATEMENTS[kind]) await command(sql, params);
}
