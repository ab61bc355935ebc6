/*
 * Reads the failures of a window by shape and sums them into groups.
 */
import { OUTCOMES, type Outcome } from '@imscope/schemas/outcome.js';
import type { OutcomeCounts } from '@imscope/schemas/query-api/values.js';
import { type Static, Type } from 'typebox';
import { CODE } from '../figures/code-counts.js';
import type { Filter } from '../figures/filter.js';
import { groupOf } from '../grouping/group-of.js';
import { type AnswerBounds, FLAT_ROWS, KIB, MIB } from '../store/answer-bounds.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { failuresSql, type Place, PLACES } from './failure-sql.js';

/**
 * 6 MiB of shapes with what is counted of them, 5,000 shapes of the history at 300 bytes, and 200 groups with three causes
 * of 2,048 characters each. A step is a number in each group.
 */
export const FAILURES_BOUNDS: AnswerBounds = {
  pointsMax: 200,
  rowsMax: 5_000,
  bytes: 14 * MIB,
  bytesPerPoint: 4 * KIB,
  memoryPerByte: FLAT_ROWS,
};

export type Cause = {
  readonly cause: string;
  readonly requests: number;
  readonly lastMs: number;
  readonly sdkAppId: number;
};

/** Of a window. Counts are requests. */
export type Failures = {
  readonly id: string;
  readonly exception: string;
  readonly code: number | null;
  readonly cause: string;
  readonly outcomes: OutcomeCounts;
  readonly requests: number;
  firstMs: number;
  lastMs: number;
  /** By number of the step since 1970. */
  readonly trend: Map<number, number>;
  readonly places: Readonly<Partial<Record<Place, Map<string, number>>>>;
  /** The most frequent of each shape. */
  readonly causes: Cause[];
};
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type FailureGroups = {
  /** Service errors first, then the most frequent. */
  readonly groups: readonly Failures[];
  readonly requests: number;
  readonly ungrouped: { readonly shapes: number; readonly count: number };
};

const Sums = Type.Tuple([Type.Array(Type.String()), Type.Array(Type.Number())]);
const Row = Type.Object({
  exception: Type.String(),
  code: CODE,
  shape: Type.String(),
  requests: Type.Number(),
  success: Type.Number(),
  caller_error: Type.Number(),
  service_error: Type.Number(),
  unknown: Type.Number(),
  first_ms: Type.Number(),
  last_ms: Type.Number(),
  trend: Type.Tuple([Type.Array(Type.Number()), Type.Array(Type.Number())]),
  ...Object.fromEntries(Object.keys(PLACES).map((place) => [`${place}_sums`, Type.Optional(Sums)])),
  /** Negative counts, so that the least are the most frequent. */
  samples: Type.Array(Type.Tuple([Type.Number(), Type.String(), Type.Number(), Type.Number()])),
  shapes_total: Type.Number(),
  requests_total: Type.Number(),
});
type Row = Static<typeof Row> & Readonly<Partial<Record<`${Place}_sums`, Static<typeof Sums>>>>;
const FAILURES = defineStoreQuery('exceptions', Row);

export async function readFailures(
  ask: Ask,
  { sql, params }: Filter,
  options: { readonly stepMs: number; readonly places: readonly Place[]; readonly signal: AbortSignal },
): Promise<FailureGroups> {
  const { stepMs, places, signal } = options;
  const rows: readonly Row[] = await ask(
    FAILURES,
    failuresSql(sql, places),
    { ...params, step_ms: stepMs },
    signal,
  );
  const groups = new Map<string, Mutable<Failures>>();
  for (const row of rows) {
    const { id, cause } = groupOf(row);
    const group = groups.get(id) ?? emptyGroup(id, cause, row, places);
    addRow(group, row, places);
    groups.set(id, group);
  }
  const [first] = rows;
  const grouped = rows.reduce((sum, { requests }) => sum + requests, 0);
  return {
    groups: [...groups.values()].toSorted(worstFirst),
    requests: first?.requests_total ?? 0,
    ungrouped: {
      shapes: (first?.shapes_total ?? 0) - rows.length,
      count: (first?.requests_total ?? 0) - grouped,
    },
  };
}

function emptyGroup(id: string, cause: string, row: Row, places: readonly Place[]): Mutable<Failures> {
  const { exception, code, first_ms: firstMs, last_ms: lastMs } = row;
  return {
    ...noFailures(id, { exception, code, cause, firstMs, lastMs }),
    places: Object.fromEntries(places.map((place) => [place, new Map<string, number>()])),
  };
}

/** A group without a request. */
export function noFailures(
  id: string,
  {
    exception,
    code,
    cause,
    firstMs,
    lastMs,
  }: Pick<Failures, 'exception' | 'code' | 'cause' | 'firstMs' | 'lastMs'>,
): Failures {
  return {
    id,
    exception,
    code,
    cause,
    firstMs,
    lastMs,
    outcomes: { success: 0, caller_error: 0, service_error: 0, unknown: 0 },
    requests: 0,
    trend: new Map(),
    places: {},
    causes: [],
  };
}

function addRow(group: Mutable<Failures>, row: Row, places: readonly Place[]): void {
  group.requests += row.requests;
  group.firstMs = Math.min(group.firstMs, row.first_ms);
  group.lastMs = Math.max(group.lastMs, row.last_ms);
  for (const outcome of OUTCOMES) group.outcomes[outcome] += row[outcome];
  addSums(group.trend, row.trend);
  for (const place of places) {
    const sums = row[`${place}_sums`];
    const into = group.places[place];
    if (sums !== undefined && into !== undefined) addSums(into, sums);
  }
  for (const [count, cause, lastMs, sdkAppId] of row.samples) {
    group.causes.push({ cause, requests: -count, lastMs, sdkAppId });
  }
}

function addSums<K>(into: Map<K, number>, [keys, counts]: readonly [readonly K[], readonly number[]]): void {
  for (const [at, key] of keys.entries()) into.set(key, (into.get(key) ?? 0) + (counts[at] ?? 0));
}

function worstFirst(a: Failures, b: Failures): number {
  return (
    b.outcomes.service_error - a.outcomes.service_error || b.requests - a.requests || (a.id < b.id ? -1 : 1)
  );
}

/** The most frequent outcome; of equal ones the first of the list. */
export function mainOutcome(outcomes: OutcomeCounts): Outcome {
  return OUTCOMES.reduce((most, outcome) => (outcomes[outcome] > outcomes[most] ? outcome : most));
}
