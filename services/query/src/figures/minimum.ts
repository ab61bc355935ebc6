/*
 * The least of a row about networks, so that none is about one person, and the grid of the windows of prefixes.
 */
export type Minimum = {
  /** Logged requests, not their weights. */
  readonly requests: number;
  /** Different exit addresses; at most 100, which is the most that `uniqUpTo` counts. */
  readonly addresses: number;
};

/** Blocks of prefixes are not finer in time, and their windows begin and end at its multiples. */
export const CELL_MS = 300_000;

/** The condition on columns that count logged requests and different addresses. */
export function isLargeSql(logged: string, addresses: string, minimum: Minimum): string {
  return `(${logged} >= ${minimum.requests} AND ${addresses} >= ${minimum.addresses})`;
}
