/*
 * Owns durations as text: `250ms`, `60s`, `5m`, `2h`, `6d`, and `open` for one without an end.
 */
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds; undefined where the text is no duration. */
export function durationMs(text: string): number | undefined {
  if (text === 'open') return Number.POSITIVE_INFINITY;
  const [, amount = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  return unitMs === undefined ? undefined : Number(amount) * unitMs;
}
