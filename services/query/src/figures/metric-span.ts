/*
 * The part of a window that is read from the metrics, as conditions for WHERE. Hours that are built in `hour_rollup` may
 * be read from there instead of from `interface_metric`; in gaps, the logs of some applications are read instead of their
 * metrics. Every condition has constant SQL text; every value is bound.
 */
import { ROLLUP_SLICE_MS } from '@imscope/schemas/hour-rollup.js';
import type { QueryParams } from '../store/ask-store.js';
import type { TimeWindow } from './time-window.js';

/** An hour that is built in `hour_rollup`, or as much of it as has passed. */
export type RollupHour = {
  readonly startMs: number;
  readonly toMs: number;
  /** Of the sums of the metrics. */
  readonly version: number;
  /** Of what the logs held. */
  readonly logsVersion: number;
};

/** Within it the logs of these applications are read, because their metrics lack requests. */
export type Gap = TimeWindow & { readonly sdkAppIds: readonly number[] | 'all' };

/** Whole minutes. The lists may be left out: then all of it is read from `interface_metric`. */
export type MetricSpan = TimeWindow & {
  /** Hours that are in the span completely. */
  readonly rollup?: readonly RollupHour[];
  /** Ten minutes, or several, of hours that an end of the span cuts. Only sums of applications are built of these. */
  readonly slices?: readonly RollupHour[];
  readonly gaps?: readonly Gap[];
};

/** What of a span is read from hours that are built, or from slices of them. @param hours in order of time */
export function builtSpan(
  span: TimeWindow,
  hours: readonly RollupHour[],
): Required<Pick<MetricSpan, 'rollup' | 'slices'>> {
  const cut = hours.filter((hour) => !isWithin(hour, span));
  return {
    rollup: hours.filter((hour) => isWithin(hour, span)),
    slices: cut
      .map((hour) => ({
        ...hour,
        startMs: Math.max(hour.startMs, Math.ceil(span.fromMs / ROLLUP_SLICE_MS) * ROLLUP_SLICE_MS),
        toMs: Math.min(hour.toMs, Math.floor(span.toMs / ROLLUP_SLICE_MS) * ROLLUP_SLICE_MS),
      }))
      .filter(({ startMs, toMs }) => startMs < toMs),
  };
}

export function isWithin({ startMs, toMs }: RollupHour, span: TimeWindow): boolean {
  return startMs >= span.fromMs && toMs <= span.toMs;
}

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

/** What of spans is in which table, as `SpanConditions`. */
export type MetricConditions = Pick<SpanConditions, 'metrics' | 'rollup' | 'params'>;

const RANGE = (column: string, name: string): string =>
  `(${column} >= fromUnixTimestamp64Milli({${name}_from_ms:Int64}, 'UTC')
    AND ${column} < fromUnixTimestamp64Milli({${name}_to_ms:Int64}, 'UTC'))`;

/** @param kind undefined: `hour_rollup` has no rows that the question can use */
export function spanConditions(span: MetricSpan, kind: RollupKind | undefined): SpanConditions {
  const tables = metricConditions([span], kind);
  const params: Record<string, QueryParams[string]> = { ...tables.params, ...boundsOf('metrics', span) };
  const gaps = (span.gaps ?? []).map((gap, index) => {
    const name = `gap_${index}`;
    Object.assign(params, boundsOf(name, gap));
    if (gap.sdkAppIds === 'all') return { name, whose: '' };
    params[`${name}_ids`] = gap.sdkAppIds;
    return { name, whose: ` AND sdk_app_id IN {${name}_ids:Array(UInt64)}` };
  });
  const inGaps = (column: string): string[] =>
    gaps.map(({ name, whose }) => `(${RANGE(column, name)}${whose})`);
  const withoutGaps = inGaps('window_start')
    .map((gap) => `\n  AND NOT ${gap}`)
    .join('');
  return {
    logs: `(${[`NOT ${RANGE('time', 'metrics')}`, ...inGaps('time')].join('\n    OR ')})`,
    metrics: tables.metrics && `${tables.metrics}${withoutGaps}`,
    rollup: tables.rollup && `${tables.rollup}${withoutGaps}`,
    params,
  };
}

/**
 * Of several spans, read by one statement. A row is read once, so it is for the question to tell from `window_start`
 * which span it is of.
 * @param spans in order of time, none overlaps another
 */
export function metricConditions(
  spans: readonly Omit<MetricSpan, 'gaps'>[],
  kind: RollupKind | undefined,
): MetricConditions {
  const params: Record<string, QueryParams[string]> = {};
  const bind = (name: string, window: TimeWindow): string => {
    Object.assign(params, boundsOf(name, window));
    return RANGE('window_start', name);
  };
  const versions: number[] = [];
  const sliced: string[] = [];
  const fine: string[] = [];
  for (const span of spans) {
    const hours = kind === undefined ? [] : (span.rollup ?? []);
    const slices = kind === undefined || kind === 'interface_hour' ? [] : (span.slices ?? []);
    versions.push(...hours.map(({ version }) => version));
    for (const { startMs, toMs, version } of slices) {
      const name = `slice_${sliced.length}`;
      params[`${name}_version`] = version;
      const range = bind(name, { fromMs: startMs, toMs });
      sliced.push(`(kind = 'application_10m' AND version = {${name}_version:UInt64} AND ${range})`);
    }
    const covered = [...hours, ...slices].toSorted((a, b) => a.startMs - b.startMs);
    for (const part of uncovered(span, covered)) fine.push(bind(`fine_${fine.length}`, part));
  }
  const built: string[] = [];
  if (versions.length > 0) {
    params['rollup_versions'] = versions;
    built.push(`(kind = '${kind}' AND version IN {rollup_versions:Array(UInt64)})`);
  }
  built.push(...sliced);
  return {
    metrics: fine.length === 0 ? null : `(${fine.join('\n    OR ')})`,
    rollup: built.length === 0 ? null : `(${built.join('\n    OR ')})`,
    params,
  };
}

/** The values of `RANGE`. */
function boundsOf(name: string, { fromMs, toMs }: TimeWindow): QueryParams {
  return { [`${name}_from_ms`]: fromMs, [`${name}_to_ms`]: toMs };
}

/** Whether logs are read for a window of which this part comes from the metrics. */
export function needsLogs(span: MetricSpan, window: TimeWindow): boolean {
  return span.fromMs > window.fromMs || span.toMs < window.toMs || (span.gaps ?? []).length > 0;
}

/** The parts of a span outside these hours, which are in order. */
export function uncovered(
  { fromMs, toMs }: TimeWindow,
  hours: readonly Pick<RollupHour, 'startMs' | 'toMs'>[],
): TimeWindow[] {
  const parts: TimeWindow[] = [];
  let coveredToMs = fromMs;
  for (const { startMs, toMs: hourEndsMs } of hours) {
    if (startMs > coveredToMs) parts.push({ fromMs: coveredToMs, toMs: startMs });
    coveredToMs = hourEndsMs;
  }
  if (toMs > coveredToMs) parts.push({ fromMs: coveredToMs, toMs });
  return parts;
}
