/*
 * Metric counts = weights by application and minute: what the edge counted of the records it logged, against the
 * records that are stored. Only what is settled: minutes up to which all collectors' accounts are covered by the
 * ledger. Records later than an hour at the edge are in no metric, so a minute may have that much more in the logs.
 */
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Difference } from './difference.js';
import type { TimeSpan } from '@imscope/accounting/time-span.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { METRIC_LATE_HOURS_MAX } from '@imscope/schemas/retention.js';
import { HOUR_MS, type Pass, METRIC_TERM_MS, MINUTE_MS, ROWS_MAX, passParams } from './pass.js';

/** How long a window waits for late events and may need to reach the account. */
const WINDOW_HOLD_MS = 90_000;
/** A window of a minute, and its wait: how long a record may be in no metric that is written. */
export const WINDOW_OPEN_MS = MINUTE_MS + WINDOW_HOLD_MS;
/** Older events are in no metric; less a minute for the clocks. */
const LATE_MS = METRIC_LATE_HOURS_MAX * HOUR_MS - MINUTE_MS;
/** Event times may be this far ahead of the clock. */
const AHEAD_MS = REQUEST_LOG_BOUNDS.aheadMsMax;
/** Rows that one statement processes. */
const SLICE_ROWS_MAX = 20_000_000;

/** An application's minute whose sums differ by more than what may be late or on its way. */
export type ApplicationMinute = {
  readonly sdk_app_id: number;
  readonly minute: string;
  readonly logged: number;
  /** Of the logged weights: late, or not settled, so they need not be in the metrics. */
  readonly unsure: number;
  readonly counted: number;
};

export type SettledMinutes = {
  readonly fromMs: number;
  readonly toMs: number;
  /** Blocks appended by then have their metrics. */
  readonly appendedMs: number;
};

/** Complete minutes to compare; undefined where none is settled. */
export function settledMinutes(settledMs: number, fromMs: number, nowMs: number): SettledMinutes | undefined {
  const appendedMs = Number.isFinite(settledMs) ? settledMs - WINDOW_HOLD_MS : nowMs + AHEAD_MS;
  const earliestMs = Math.max(fromMs, nowMs - METRIC_TERM_MS);
  const from = Math.ceil(earliestMs / MINUTE_MS) * MINUTE_MS;
  const to = Math.floor(appendedMs / MINUTE_MS) * MINUTE_MS;
  return to > from ? { fromMs: from, toMs: to, appendedMs } : undefined;
}

// Grouped by block before the join: there are far fewer blocks than rows. Rows of a block that is not in the ledger are
// on their way, or reported by another check.
const DIFFERING = `
SELECT sdk_app_id, formatDateTime(at, '%FT%H:%i:00Z') AS minute, sum(weight) AS logged, sum(unsure_weight) AS unsure,
  sum(metric) AS counted
FROM (
  SELECT sdk_app_id, at, block_weight AS weight,
    if(block.appended > at + INTERVAL {late_s:UInt32} SECOND OR block.appended > fromUnixTimestamp64Milli({appended:Int64})
      OR NOT block.known, block_weight, 0) AS unsure_weight, 0 AS metric
  FROM (
    SELECT sdk_app_id, toStartOfMinute(time) AS at, block_id, sum(weight) AS block_weight FROM request_log
    WHERE time >= fromUnixTimestamp64Milli({minutes_from:Int64}) AND time < fromUnixTimestamp64Milli({minutes_to:Int64})
    GROUP BY sdk_app_id, at, block_id
  ) AS logs
  LEFT ANY JOIN (
    SELECT arrayJoin(block_ids) AS block_id, last_appended AS appended, true AS known FROM block_ledger
    WHERE topic = {topic:String} AND last_appended >= fromUnixTimestamp64Milli({blocks_from:Int64})
  ) AS block USING (block_id)
  UNION ALL
  SELECT sdk_app_id, toStartOfMinute(window_start) AS at, 0 AS weight, 0 AS unsure_weight, sum(logged_weight) AS metric
  FROM interface_metric
  WHERE window_start >= fromUnixTimestamp64Milli({minutes_from:Int64})
    AND window_start < fromUnixTimestamp64Milli({minutes_to:Int64})
  GROUP BY sdk_app_id, at
)
GROUP BY sdk_app_id, at
HAVING counted > logged OR counted + unsure < logged
ORDER BY at, sdk_app_id LIMIT {rows_max:UInt32}`;

const COMPARED = `
SELECT uniqExact(sdk_app_id) AS applications, uniqExact(sdk_app_id, toStartOfMinute(window_start)) AS minutes
FROM interface_metric
WHERE window_start >= fromUnixTimestamp64Milli({minutes_from:Int64})
  AND window_start < fromUnixTimestamp64Milli({minutes_to:Int64})`;

const MINUTES = `
SELECT toUnixTimestamp(minute) * 1000 AS minute_ms, sum(minute_rows) AS rows FROM (
  SELECT toStartOfMinute(time) AS minute, count() AS minute_rows FROM request_log
  WHERE time >= fromUnixTimestamp64Milli({minutes_from:Int64}) AND time < fromUnixTimestamp64Milli({minutes_to:Int64})
  GROUP BY minute
  UNION ALL
  SELECT toStartOfMinute(window_start) AS minute, count() AS minute_rows FROM interface_metric
  WHERE window_start >= fromUnixTimestamp64Milli({minutes_from:Int64})
    AND window_start < fromUnixTimestamp64Milli({minutes_to:Int64})
  GROUP BY minute
) GROUP BY minute ORDER BY minute`;

export type ComparedMinutes = {
  readonly differing: readonly ApplicationMinute[];
  readonly applications: number;
  readonly minutes: number;
};

export async function readDifferingMinutes(pass: Pass, settled: SettledMinutes): Promise<ComparedMinutes> {
  const { ask } = pass;
  const bounds = { minutes_from: settled.fromMs, minutes_to: settled.toMs };
  const differing: ApplicationMinute[] = [];
  for (const { fromMs, toMs } of minuteSlices(await ask<MinuteRows>(MINUTES, bounds))) {
    const rows = await ask<ApplicationMinute>(DIFFERING, {
      ...passParams(pass),
      topic: pass.topicPrefix + TOPICS.requestLog.name,
      minutes_from: Math.max(fromMs, settled.fromMs),
      minutes_to: Math.min(toMs, settled.toMs),
      blocks_from: fromMs - 2 * AHEAD_MS,
      appended: settled.appendedMs,
      late_s: LATE_MS / 1_000,
    });
    differing.push(...rows);
    if (differing.length >= ROWS_MAX) break;
  }
  const [compared] = await ask<{ applications: number; minutes: number }>(COMPARED, bounds);
  return { differing, applications: compared?.applications ?? 0, minutes: compared?.minutes ?? 0 };
}

type MinuteRows = { readonly minute_ms: number; readonly rows: number };

/** Adjacent minutes, as many as one statement processes. */
function minuteSlices(minutes: readonly MinuteRows[]): { readonly fromMs: number; readonly toMs: number }[] {
  const slices: { fromMs: number; toMs: number; rows: number }[] = [];
  for (const { minute_ms: fromMs, rows } of minutes) {
    const open = slices.at(-1);
    if (open === undefined || open.rows + rows > SLICE_ROWS_MAX) {
      slices.push({ fromMs, toMs: fromMs + MINUTE_MS, rows });
    } else {
      open.toMs = fromMs + MINUTE_MS;
      open.rows += rows;
    }
  }
  return slices;
}

export type Explained = {
  /** Records that need not be stored (dead, expired, retired, or counted by two collectors): so many may be in the metrics and not in the logs. */
  readonly logs: number;
  /** When retired collectors accepted records whose metrics may be lost with them. Epoch milliseconds. */
  readonly metrics: readonly TimeSpan[];
};

export function minuteDifferences(
  minutes: readonly ApplicationMinute[],
  { logs: explained, metrics: unmeasured }: Explained,
): Difference[] {
  const isUnmeasured = (minute: string): boolean => {
    const fromMs = Date.parse(minute);
    return unmeasured.some((span) => fromMs <= span.toMs && fromMs + MINUTE_MS >= span.fromMs);
  };
  const excess = minutes.reduce((sum, { counted, logged }) => sum + Math.max(0, counted - logged), 0);
  return minutes.flatMap(({ sdk_app_id, minute, logged, unsure, counted }): Difference[] => {
    const place = { check: 'metrics', sdk_app_id, minute, expected: counted, found: logged } as const;
    if (counted > logged) {
      if (excess <= explained) return [];
      const missing = (counted - logged).toLocaleString('en-US');
      return [
        { ...place, kind: 'missing_logs', words: `${missing} of what the metrics count is not in the logs` },
      ];
    }
    if (logged <= counted + unsure || isUnmeasured(minute)) return [];
    const more = (logged - unsure - counted).toLocaleString('en-US');
    return [
      { ...place, kind: 'missing_metrics', words: `${more} of what is in the logs the metrics do not count` },
    ];
  });
}
