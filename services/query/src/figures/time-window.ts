/*
 * The half-open window [from, to) of a question and its steps. Steps begin at multiples of the step since 1970, UTC; the
 * first and the last may lie in the window only in part. A window covers only what the store can hold: it begins no
 * earlier than the term, and ends no later than the clock tolerance of collectors allows an event. `window.from` and
 * `window.to` of the answer state the window that was used.
 */
import { HOUR_MS, TERM_HOURS, termText } from '@imscope/schemas/retention.js';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';

export type TimeWindow = { readonly fromMs: number; readonly toMs: number };
export type Step = {
  readonly startMs: number;
  /** How much of the step lies in the window. */
  readonly seconds: number;
};

const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export { HOUR_MS };
export const DAY_MS = 24 * HOUR_MS;
/** How long logs are kept; the view `request_log_kept` clips to the same. */
export const LOG_TERM_MS = TERM_HOURS.requestLog * HOUR_MS;
/** How long metrics are kept; the view `interface_metric_kept` clips to the same. */
export const METRIC_TERM_MS = TERM_HOURS.interfaceMetric * HOUR_MS;
const LOG_TERM = termText(TERM_HOURS.requestLog);
const METRIC_TERM = termText(TERM_HOURS.interfaceMetric);
const DEFAULT_SPAN_MS = HOUR_MS;
const DEFAULT_STEPS = 60;
const DEFAULT_STEP_CHOICES_MS = [
  ...[1, 5, 10, 15, 30].map((count) => count * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE_MS),
  ...[1, 2, 3, 6].map((count) => count * HOUR_MS),
];
const UNIT_MS: Readonly<Record<string, number>> = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/** Throws `HttpError` invalid_parameter where a time cannot be parsed, or the store can hold nothing of the window. */
export function resolveWindow(
  query: { readonly from?: string; readonly to?: string },
  nowMs: number,
): TimeWindow {
  const toMs = query.to === undefined ? nowMs : resolveTime('to', query.to, nowMs);
  const fromMs =
    query.from === undefined
      ? Math.min(nowMs, toMs) - DEFAULT_SPAN_MS
      : resolveTime('from', query.from, nowMs);
  if (fromMs >= toMs) {
    throw new HttpError(
      'invalid_parameter',
      `from ${timeText(fromMs)} is not before to ${timeText(toMs)}: give an earlier from or a later to`,
    );
  }
  return clipWindow({ fromMs, toMs }, nowMs);
}

/**
 * The part of a window of which something may be in the store.
 * @throws `HttpError` invalid_parameter where there is none
 */
export function clipWindow(window: TimeWindow, nowMs: number): TimeWindow {
  const keptFromMs = nowMs - LOG_TERM_MS;
  if (window.toMs <= keptFromMs) {
    throw new HttpError(
      'invalid_parameter',
      `to ${timeText(window.toMs)} is past the term: logs are kept ${LOG_TERM}, since ${timeText(keptFromMs)}`,
    );
  }
  const latestMs = nowMs + REQUEST_LOG_BOUNDS.aheadMsMax;
  if (window.fromMs >= latestMs) {
    throw new HttpError(
      'invalid_parameter',
      `from ${timeText(window.fromMs)} is in the future: events are accepted up to ` +
        `${REQUEST_LOG_BOUNDS.aheadMsMax / MINUTE_MS} minutes ahead, now ${timeText(latestMs)}; give an earlier from`,
    );
  }
  return { fromMs: Math.max(window.fromMs, keptFromMs), toMs: Math.min(window.toMs, latestMs) };
}

/**
 * The whole minutes of a window for `monitor`: both bounds are rounded down to their minute, so that `now-1h` is 60
 * minutes. The window leaves out minutes whose metrics may expire while the query runs.
 * @param firstKeptMs the first minute whose metrics do not expire while the query runs
 * @throws `HttpError` invalid_parameter where the window begins before the term or holds no whole minute
 */
export function resolveMonitorWindow(
  query: { readonly from?: string; readonly to?: string },
  nowMs: number,
  firstKeptMs: number,
): TimeWindow {
  const asked = resolveWindow(query, nowMs);
  if (asked.fromMs < nowMs - METRIC_TERM_MS) {
    throw new HttpError(
      'invalid_parameter',
      `from is "${query.from ?? timeText(asked.fromMs)}", but metrics are kept ${METRIC_TERM}, since ` +
        `${timeText(nowMs - METRIC_TERM_MS)}: begin later, or ask timeseries, which answers up to ${LOG_TERM}`,
    );
  }
  const fromMs = Math.max(floorMinute(asked.fromMs), firstKeptMs);
  const toMs = floorMinute(asked.toMs);
  if (fromMs >= toMs) {
    throw new HttpError(
      'invalid_parameter',
      `${timeText(asked.fromMs)} to ${timeText(asked.toMs)} holds no minute that has ended: monitor answers whole ` +
        'minutes; give a longer window, or ask timeseries',
    );
  }
  return { fromMs, toMs };
}

/** Steps of `monitor` are whole minutes that divide a day, so that they are the same on each day. Throws as `resolveStep`. */
export function resolveMonitorStep(text: string | undefined, window: TimeWindow, stepsMax: number): number {
  const stepMs = Math.max(resolveStep(text, window, stepsMax), MINUTE_MS);
  if (DAY_MS % stepMs === 0) return stepMs;
  throw new HttpError(
    'invalid_parameter',
    `step is "${text ?? ''}", which does not divide a day: give whole minutes that do, such as 1m, 5m, 1h or 1d`,
  );
}

/** Rounds down to the minute. */
export function floorMinute(timeMs: number): number {
  return Math.floor(timeMs / MINUTE_MS) * MINUTE_MS;
}

const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d|60)(\.\d{1,9})?)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** From 2001 to 2286. */
const EPOCH_MS = /^\d{13}$/;

/** Throws `HttpError` invalid_parameter. */
export function resolveTime(name: string, text: string, nowMs: number): number {
  const relative = /^now(?:-(\d{1,6})([smhd]))?$/.exec(text);
  if (relative !== null) return nowMs - Number(relative[1] ?? 0) * (UNIT_MS[relative[2] ?? 's'] ?? 0);
  const timeMs = EPOCH_MS.test(text) ? Number(text) : parseTime(text);
  if (timeMs === undefined) {
    throw new HttpError(
      'invalid_parameter',
      `${name} is "${text}", which is not a time: give RFC 3339 such as 2026-03-01T12:00:00Z, now-1h, or epoch milliseconds`,
    );
  }
  return timeMs;
}

/** Seconds may be left out; a second of 60 is the leap second and counts as the first of the next minute. */
function parseTime(text: string): number | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second = '00', fraction = '', zone] = match;
  const leaps = second === '60';
  const timeMs = Date.parse(
    `${year}-${month}-${day}T${hour}:${minute}:${leaps ? '59' : second}${fraction}${zone}`,
  );
  // Date.parse reads 30 February as 2 March.
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number.isNaN(timeMs) || Number(day) > days) return undefined;
  return leaps ? timeMs + SECOND_MS : timeMs;
}

/**
 * The step in milliseconds; the default is a round one that gives about 60 steps.
 * Throws `HttpError` invalid_parameter where the window would have more than `stepsMax`, also for the default step.
 */
export function resolveStep(text: string | undefined, window: TimeWindow, stepsMax: number): number {
  const stepMs = text === undefined ? defaultStep(window) : stepOf(text);
  const steps = countSteps(window, stepMs);
  if (steps > stepsMax) {
    throw new HttpError(
      'invalid_parameter',
      `step ${text ?? `${stepMs / SECOND_MS}s`} makes ${steps} steps of this window, ${stepsMax} are allowed: give a longer step or a shorter window`,
    );
  }
  return stepMs;
}

function defaultStep({ fromMs, toMs }: TimeWindow): number {
  const choiceMs = DEFAULT_STEP_CHOICES_MS.find((choice) => (toMs - fromMs) / choice <= DEFAULT_STEPS);
  return choiceMs ?? 12 * HOUR_MS;
}

function stepOf(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,4})([smhd])$/.exec(text) ?? [];
  const stepMs = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  if (Number.isSafeInteger(stepMs)) return stepMs;
  throw new HttpError('invalid_parameter', `step is "${text}": give such as 10s, 1m, 1h or 1d`);
}

/** How many steps a window has, including those that lie in it only in part. */
export function countSteps({ fromMs, toMs }: TimeWindow, stepMs: number): number {
  return Math.ceil(toMs / stepMs) - Math.floor(fromMs / stepMs);
}

/** All steps of a window in order, including empty ones. */
export function stepsOf(window: TimeWindow, stepMs: number): Step[] {
  const steps: Step[] = [];
  for (let startMs = Math.floor(window.fromMs / stepMs) * stepMs; startMs < window.toMs; startMs += stepMs) {
    const insideMs = Math.min(startMs + stepMs, window.toMs) - Math.max(startMs, window.fromMs);
    steps.push({ startMs, seconds: insideMs / 1000 });
  }
  return steps;
}

export function windowSeconds(window: TimeWindow): number {
  return (window.toMs - window.fromMs) / 1000;
}

/** RFC 3339 in UTC with milliseconds. */
export function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
