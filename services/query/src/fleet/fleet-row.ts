/* One application of the fleet as the answer shows it. Pure. */
import { healthText, successRateInterval } from '@imscope/schemas/health.js';
import { fillLinks } from '@imscope/schemas/link-template.js';
import type { ApplicationRow } from '@imscope/schemas/query-api/applications.js';
import { changesOf } from '../figures/changes.js';
import { performanceOf, type PerformanceRow, successRate } from '../figures/sums.js';
import { type Step, timeText, type TimeWindow, windowSeconds } from '../figures/time-window.js';
import type { ApplicationDescription } from '../store/application-names.js';
import type { ShownFigures } from './fleet-figures.js';
import type { FleetApplication } from './fleet-order.js';

export type RowContext = {
  readonly window: TimeWindow;
  /** null: the span before is not compared. */
  readonly windowBefore: TimeWindow | null;
  readonly steps: readonly Step[];
  readonly stepMs: number;
};

export function rowOf(
  application: FleetApplication,
  shown: ShownFigures | undefined,
  description: ApplicationDescription,
  context: RowContext,
): ApplicationRow {
  const { sums } = application;
  const { window } = context;
  const { link_templates: templates, ...names } = description;
  const { sdk_app_id: sdkAppId } = sums;
  const row = { ...sums, histogram: [...(shown?.histogram ?? [])] };
  return {
    sdk_app_id: sdkAppId,
    ...names,
    links: fillLinks(templates, { sdkAppId, fromMs: window.fromMs, toMs: window.toMs }),
    ...performanceOf(row, windowSeconds(window)),
    success_rate_interval: successRateInterval(sums),
    health: healthAnswer(application),
    change: changeOf(application, row, context),
    interfaces: shown?.worst?.interfaces ?? 0,
    worst_interface: worstInterface(shown?.worst),
    last_seen: timeText(sums.last_seen_ms),
    sparkline: sparklineOf(shown?.steps ?? [], context),
  };
}

function healthAnswer({ sums, before, health, thresholds }: FleetApplication): ApplicationRow['health'] {
  const { tier, reason } = health;
  const text =
    reason === 'fell_silent'
      ? `no request, after ${(before?.requests ?? 0).toLocaleString('en-US')} in the span before`
      : healthText({ reason }, sums, thresholds);
  return { tier, reason, text, target: Number((1 - thresholds.degradedFrom).toPrecision(12)) };
}

function changeOf(
  { before }: FleetApplication,
  row: PerformanceRow,
  { window, windowBefore }: RowContext,
): ApplicationRow['change'] {
  if (windowBefore === null) return null;
  const now = { ...row, seconds: windowSeconds(window) };
  return changesOf(now, before, windowSeconds(windowBefore), true);
}

function worstInterface(worst: ShownFigures['worst']): ApplicationRow['worst_interface'] {
  if (worst === undefined) return null;
  const [name, serviceErrors, success] = worst.worst;
  if (serviceErrors === 0) return null;
  return {
    interface: name,
    service_errors: serviceErrors,
    success_rate: successRate(success, serviceErrors),
  };
}

function sparklineOf(
  points: ShownFigures['steps'],
  { steps, stepMs }: RowContext,
): ApplicationRow['sparkline'] {
  const pointOf = new Map(points.map((point) => [point.step_index * stepMs, point]));
  return steps.map(({ startMs }) => {
    const point = pointOf.get(startMs);
    return {
      time: timeText(startMs),
      requests: point?.requests ?? 0,
      success_rate: point === undefined ? null : successRate(point.success, point.service_error),
    };
  });
}
