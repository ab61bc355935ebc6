/* A half-open span of time [fromMs, toMs), epoch milliseconds. */
export type TimeSpan = { readonly fromMs: number; readonly toMs: number };

/** The fraction of an interval that lies in a span, 0 to 1. An empty interval counts as the point where it begins. */
export function shareWithin(interval: TimeSpan, span: TimeSpan): number {
  const lengthMs = interval.toMs - interval.fromMs;
  if (lengthMs === 0) return interval.fromMs >= span.fromMs && interval.fromMs < span.toMs ? 1 : 0;
  const withinMs = Math.min(interval.toMs, span.toMs) - Math.max(interval.fromMs, span.fromMs);
  return Math.max(0, withinMs) / lengthMs;
}
