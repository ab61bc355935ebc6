/*
 * The part of a window that is read from the metrics, as conditions for WHERE. Hours that are built in `hour_rollup` may
 * be read from there instead of from `interface_metric`; in gaps, the logs of some applications are read instead of their
 * metrics. Every condition has constant SQL text; every value is bound.
 */
import type { QueryParams } from '../store/ask-store.js';
import { HOUR_MS, type TimeWindow } from './time-window.js';

/** An hour that is built in `hour_rollup`. */
export type RollupHour = {
  readonly startMs: number;
  /** Of the sums of the metrics. */
  readonly version: number;
  /** Of what the logs held. */
  readonly logsVersion: number;
};

/** Within it the logs of these applications are read, because their metrics lack requests. */
export type Gap = TimeWindow & { readonly sdkAppIds: readonly number[] | 'all' };

/** Whole minutes. Both lists may be left out: then all of it is read from `interface_metric`. */
export type MetricSpan = TimeWindow & {
  readonly rollup?: readonly RollupHour[];
  readonly gaps?: readonly Gap[];
};

/** Which rows of `hour_rollup` a question can use. */
export type RollupKind = 'application_hour' | 'application_10m' | 'interface_hour';

export type SpanConditions = {
  /** Over `request_log_kept`: what of the window is not in the metrics. */
  readonly logs: string;
  /** Over `interface_metric_kept`; null where nothing is read from it. */
  readonly metrics: string | null;
  /** Over `hour_rollup_kept`; null where nothing is read from it. */
  readonly rollup: string | null;
  readonly params: QueryParams;
};

const RANGE = (column: string, name: string): string =>
  `(${column} >= fromUnixTimestamp64Milli({${name}_from_ms:Int64}, 'UTC')
    AND ${column} < fromUnixTimestamp64Milli({${name}_to_ms:Int64}, 'UTC'))`;

/** @param kind undefined: `hour_rollup` has no rows that the question can use */
export function spanConditions(span: MetricSpan, kind: RollupKind | undefined): SpanConditions {
  const hours = kind === undefined ? [] : usableHours(span);
  const params: Record<string, QueryParams[string]> = {};
  const bind = (name: string, { fromMs, toMs }: TimeWindow): void => {
    params[`${name}_from_ms`] = fromMs;
    params[`${name}_to_ms`] = toMs;
  };
  bind('metrics', span);
  const gaps = (span.gaps ?? []).map((gap, index) => {
    const name = `gap_${index}`;
    bind(name, gap);
    if (gap.sdkAppIds === 'all') return { name, whose: '' };
    params[`${name}_ids`] = gap.sdkAppIds;
    return { name, whose: ` AND sdk_app_id IN {${name}_ids:Array(UInt64)}` };
  });
  const inGaps = (column: string): string[] =>
    gaps.map(({ name, whose }) => `(${RANGE(column, name)}${whose})`);
  const withoutGaps = inGaps('window_start')
    .map((gap) => `\n  AND NOT ${gap}`)
    .join('');
  const fine = uncovered(span, hours).map((part, index) => {
    bind(`fine_${index}`, part);
    return RANGE('window_start', `fine_${index}`);
  });
  if (hours.length > 0) params['rollup_versions'] = hours.map(({ version }) => version);
  return {
    logs: `(${[`NOT ${RANGE('time', 'metrics')}`, ...inGaps('time')].join('\n    OR ')})`,
    metrics: fine.length === 0 ? null : `(${fine.join('\n    OR ')})${withoutGaps}`,
    rollup:
      hours.length === 0
        ? null
        : `kind = '${kind}' AND version IN {rollup_versions:Array(UInt64)}${withoutGaps}`,
    params,
  };
}

/** Whether logs are read for a window of which this part comes from the metrics. */
export function needsLogs(span: MetricSpan, window: TimeWindow): boolean {
  return span.fromMs > window.fromMs || span.toMs < window.toMs || (span.gaps ?? []).length > 0;
}

/** The hours that are in the span completely. */
export function usableHours({ rollup = [], fromMs, toMs }: MetricSpan): RollupHour[] {
  return rollup.filter(({ startMs }) => startMs >= fromMs && startMs + HOUR_MS <= toMs);
}

/** The parts of a span outside these hours, which are in order. */
export function uncovered(
  { fromMs, toMs }: TimeWindow,
  hours: readonly { readonly startMs: number }[],
): TimeWindow[] {
  const parts: TimeWindow[] = [];
  let coveredToMs = fromMs;
  for (const { startMs } of hours) {
    if (startMs > coveredToMs) parts.push({ fromMs: coveredToMs, toMs: startMs });
    coveredToMs = startMs + HOUR_MS;
  }
  if (toMs > coveredToMs) parts.push({ fromMs: coveredToMs, toMs });
  return parts;
}
