/*
 * The window of an answer about prefixes: whole cells of five minutes that have ended, and are kept as a whole. Windows
 * of an hour or more begin with an hour, because most blocks are hours.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import {
  DAY_MS,
  HOUR_MS,
  LOG_TERM_MS,
  MINUTE_MS,
  resolveWindow,
  timeText,
  type TimeWindow,
} from '../figures/time-window.js';
import { CELL_MS } from '../figures/minimum.js';

/** A cell changes while its requests arrive; collectors send within seconds. */
const SETTLE_MS = 2 * MINUTE_MS;
/** Rows of the oldest cell must not expire one by one while the query runs or between two questions. */
const EXPIRY_MARGIN_MS = 5 * MINUTE_MS;

/** Throws `HttpError` invalid_parameter, also where the window holds no cell that has ended. */
export function resolveGridWindow(
  query: { readonly from?: string; readonly to?: string },
  nowMs: number,
): TimeWindow {
  const asked = resolveWindow(query, nowMs);
  const gridMs = asked.toMs - asked.fromMs >= HOUR_MS ? HOUR_MS : CELL_MS;
  const window = {
    fromMs: Math.max(floorTo(asked.fromMs, gridMs), firstKeptMs(nowMs, gridMs)),
    toMs: floorTo(Math.min(asked.toMs, nowMs - SETTLE_MS), CELL_MS),
  };
  if (window.fromMs < window.toMs) return window;
  throw new HttpError(
    'invalid_parameter',
    `${timeText(asked.fromMs)} to ${timeText(asked.toMs)} holds no five minutes that have ended: prefixes are counted in ` +
      'whole multiples of five minutes, until two minutes ago; give an earlier from, or ask for providers (isp)',
  );
}

/** The same window some days before, so that it does not overlap; null where part of it has expired. */
export function daysBefore(window: TimeWindow, nowMs: number): TimeWindow | null {
  const shiftMs = Math.ceil((window.toMs - window.fromMs) / DAY_MS) * DAY_MS;
  const before = { fromMs: window.fromMs - shiftMs, toMs: window.toMs - shiftMs };
  return before.fromMs >= firstKeptMs(nowMs, CELL_MS) ? before : null;
}

function firstKeptMs(nowMs: number, gridMs: number): number {
  return Math.ceil((nowMs - LOG_TERM_MS + EXPIRY_MARGIN_MS) / gridMs) * gridMs;
}

function floorTo(timeMs: number, gridMs: number): number {
  return Math.floor(timeMs / gridMs) * gridMs;
}
