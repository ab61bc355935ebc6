/* Durations as text: `250ms`, `60s`, `5m`, `2h`, `6d`. */
const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/** Milliseconds; undefined where the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const [, amount = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  return isUnit(unit) ? Number(amount) * UNITS_MS[unit] : undefined;
}

/** In the largest unit that gives a whole number. */
export function formatDuration(ms: number): string {
  const [unit, unitMs] = Object.entries(UNITS_MS).find(([, size]) => ms > 0 && ms % size === 0) ?? ['ms', 1];
  return `${ms / unitMs}${unit}`;
}

function isUnit(text: string): text is keyof typeof UNITS_MS {
  return text in UNITS_MS;
}
