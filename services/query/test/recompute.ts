/*
 * Recomputes the answers' figures from the rows, without any of the service's code: sums by
 * loops, percentiles by walking the sorted latencies to the nearest rank.
 */
import assert from 'node:assert/strict';
import type { LatencySummary, OutcomeCounts } from '@imscope/schemas/query-api/values.js';
import type { StoredRow } from './stored-row.js';

type Figures = {
  readonly requests: number;
  readonly requests_per_s: number;
  readonly outcomes: OutcomeCounts;
  readonly success_rate: number | null;
  readonly latency_ms: LatencySummary;
};

type Sums = Omit<Figures, 'latency_ms'> & {
  readonly latency_ms: Pick<LatencySummary, 'avg' | 'max'>;
};

/** Compares an answer's figures with the rows they are about. @param seconds of the span */
export function assertFigures(given: Figures, rows: readonly StoredRow[], seconds: number): void {
  assertSums(given, rows, seconds);
  if (sumWeights(rows) === 0) {
    assert.deepEqual(Object.values(given.latency_ms), Array(6).fill(null));
    return;
  }
  assertPercentile(given.latency_ms.p50, rows, 50);
  assertPercentile(given.latency_ms.p90, rows, 90);
  assertPercentile(given.latency_ms.p95, rows, 95);
  assertPercentile(given.latency_ms.p99, rows, 99);
}

/** The same for figures without percentiles. */
export function assertSums(given: Sums, rows: readonly StoredRow[], seconds: number): void {
  const outcomes = { success: 0, caller_error: 0, service_error: 0, unknown: 0 };
  let requests = 0;
  let latencySum = 0;
  let latencyMax = 0;
  for (const row of rows) {
    requests += row.weight;
    outcomes[row.outcome] += row.weight;
    latencySum += row.latency_us * row.weight;
    latencyMax = Math.max(latencyMax, row.latency_us);
  }
  const classified = outcomes.success + outcomes.service_error;
  assert.equal(given.requests, requests);
  assert.deepEqual(given.outcomes, outcomes);
  assert.equal(given.success_rate, classified === 0 ? null : outcomes.success / classified);
  assert.equal(given.requests_per_s, requests / seconds);
  assert.equal(given.latency_ms.avg, requests === 0 ? null : latencySum / requests / 1000);
  assert.equal(given.latency_ms.max, requests === 0 ? null : latencyMax / 1000);
}

function assertPercentile(givenMs: number | null, rows: readonly StoredRow[], percent: number): void {
  const sorted = [...rows].toSorted((a, b) => a.latency_us - b.latency_us);
  const total = sorted.reduce((sum, row) => sum + row.weight, 0);
  const rank = Math.ceil((percent * total) / 100);
  let seen = 0;
  const exact = sorted.find((row) => {
    seen += row.weight;
    return seen >= rank;
  });
  // Latencies of 0 count as 1 microsecond.
  const exactUs = Math.max(exact?.latency_us ?? Number.NaN, 1);
  assert.ok(givenMs !== null, `p${percent} is null over ${rows.length} rows`);
  const error = Math.abs(givenMs * 1000 - exactUs) / exactUs;
  assert.ok(error <= 0.011, `p${percent} is ${givenMs * 1000} us, exact is ${exactUs}: off by ${error}`);
}

export function sumWeights(rows: readonly StoredRow[]): number {
  return rows.reduce((sum, row) => sum + row.weight, 0);
}

/** Rows by a key, in the order they came. */
export function groupRows<K>(rows: readonly StoredRow[], keyOf: (row: StoredRow) => K): Map<K, StoredRow[]> {
  const groups = new Map<K, StoredRow[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}
