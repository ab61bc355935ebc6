import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latencyBucket } from '@imscope/schemas/latency-histogram.js';
import { Heatmap, HEATMAP_ROWS_MAX } from '@imscope/schemas/query-api/heatmap.js';
import fc from 'fast-check';
import { boundsOf, countsIn, delayBuckets } from '../src/figures/delay-buckets.js';
import { openStoreAndQuery } from './query-under-test.js';
import { readAnswer } from './read-answer.js';
import { sumWeights } from './recompute.js';
import { metricsOf, single } from './stored-metric.js';
import { seededRandom, seededRows, type StoredRow } from './stored-row.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW_MINUTE = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
const FROM_MS = NOW_MINUTE - 5 * HOUR_MS + 12_345;
const TO_MS = NOW_MINUTE - 3 * HOUR_MS - 23_456;
const STEP_MS = 10 * MINUTE_MS;
const WINDOW = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString(), step: '10m' };
const LOGGED = 101;
const COUNTED = 102;

const random = seededRandom(5);
const rowsOf = (sdkAppId: number): StoredRow[] =>
  seededRows({ seed: sdkAppId, count: 4_000, sdkAppId, fromMs: FROM_MS - HOUR_MS, toMs: TO_MS + HOUR_MS })
    // A quarter states the round trip.
    .map((row) => (random() < 0.25 ? { ...row, rtt_us: Math.floor(random() * 50_000) } : row));
const logged = rowsOf(LOGGED);
const counted = single(rowsOf(COUNTED));

// However few the rows are: metrics first.
const { query } = await openStoreAndQuery(
  async (store) => {
    await store.insert([...logged, ...counted]);
    const metrics = metricsOf(counted, counted);
    await store.client.insert({ table: 'interface_metric', values: metrics, format: 'JSONEachRow' });
  },
  { LOG_ROWS_MAX: '0' },
);

const inWindow = (rows: readonly StoredRow[], fromMs = FROM_MS, toMs = TO_MS): StoredRow[] =>
  rows.filter(({ time }) => time >= fromMs && time < toMs);

function assertHeatmap({ buckets, steps }: Heatmap, rows: readonly StoredRow[]): void {
  assert.ok(buckets.length > 0 && buckets.length <= HEATMAP_ROWS_MAX, `${buckets.length} buckets`);
  for (const [index, { from_ms: fromMs }] of buckets.entries()) {
    if (index > 0) assert.equal(fromMs, buckets[index - 1]?.to_ms, 'buckets are adjacent');
  }
  for (const { time, requests, counts } of steps) {
    const startMs = Math.max(Date.parse(time), FROM_MS);
    const own = inWindow(rows, startMs, Math.min(Date.parse(time) + STEP_MS, TO_MS));
    assert.equal(requests, sumWeights(own));
    // Latencies of 0 count as 1 microsecond.
    const expected = buckets.map(({ from_ms: fromMs, to_ms: toMs }) =>
      sumWeights(
        own.filter(
          ({ latency_us: us }) => Math.max(us, 1) / 1_000 > fromMs && Math.max(us, 1) / 1_000 <= toMs,
        ),
      ),
    );
    assert.deepEqual(counts, expected, time);
  }
}

/** Of the rows that state a part of the delay: their requests, its average, and its share of their delay. */
function partOf(rows: readonly StoredRow[], column: 'upstream_us' | 'rtt_us') {
  const stating = rows.flatMap((row) => (row[column] === null ? [] : [{ ...row, us: row[column] }]));
  const sum = (of: (row: (typeof stating)[number]) => number): number =>
    stating.reduce((total, row) => total + of(row) * row.weight, 0);
  return {
    requests: sumWeights(stating),
    share_known: sumWeights(stating) / sumWeights(rows),
    avg_ms: sum(({ us }) => us) / 1_000 / sumWeights(stating),
    share_of_delay: sum(({ us, latency_us }) => Math.min(us, latency_us)) / sum((row) => row.latency_us),
  };
}

test('requests by step and delay equal an independent recomputation, from logs and from metrics', async () => {
  for (const [sdkAppId, rows, source] of [
    [LOGGED, logged, 'logs'],
    [COUNTED, counted, 'both'],
  ] as const) {
    const path = `applications/${sdkAppId}/heatmap`;
    const { data, window } = await readAnswer(query.app, Heatmap, path, WINDOW);
    assert.equal(window.source, source);
    assert.equal(data.steps.length, Math.ceil(TO_MS / STEP_MS) - Math.floor(FROM_MS / STEP_MS));
    assertHeatmap(data, rows);
  }
});

test('the parts of the delay are counted from the requests that state them', async () => {
  const { data } = await readAnswer(query.app, Heatmap, `applications/${LOGGED}/heatmap`, WINDOW);
  const own = inWindow(logged);
  assert.deepEqual(data.delay, { upstream: partOf(own, 'upstream_us'), network: partOf(own, 'rtt_us') });
  for (const { time, share_upstream: upstream, share_network: network } of data.steps) {
    const startMs = Math.max(Date.parse(time), FROM_MS);
    const ofStep = inWindow(logged, startMs, Math.min(Date.parse(time) + STEP_MS, TO_MS));
    assert.equal(upstream, partOf(ofStep, 'upstream_us').share_of_delay);
    assert.equal(network, partOf(ofStep, 'rtt_us').share_of_delay);
  }
});

test('filters hold for the spread and for the parts of the delay, of the fleet too', async () => {
  const { data } = await readAnswer(query.app, Heatmap, 'fleet/heatmap', { ...WINDOW, node: 'gw-2' });
  const own = [...logged, ...counted].filter(({ node }) => node === 'gw-2');
  assertHeatmap(data, own);
  assert.deepEqual(data.delay.network, partOf(inWindow(own), 'rtt_us'));
});

test('a window without requests has steps and no buckets, and says nothing of the delay', async () => {
  const { data } = await readAnswer(query.app, Heatmap, 'applications/999/heatmap', WINDOW);
  assert.deepEqual(data.buckets, []);
  assert.ok(data.steps.length > 0 && data.steps.every(({ counts }) => counts.length === 0));
  const nothing = { requests: 0, share_known: null, avg_ms: null, share_of_delay: null };
  assert.deepEqual(data.delay, { upstream: nothing, network: nothing });
});

test('wide buckets hold every latency within their bounds, and lose none', () => {
  const latencyUs = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 86_400_000_000 }));
  fc.assert(
    fc.property(fc.array(latencyUs, { minLength: 1, maxLength: 50 }), (latencies) => {
      const histogram = latencies.map((us) => [latencyBucket(us), 1] as const);
      const buckets = delayBuckets([histogram]);
      assert.ok(buckets.count >= 1 && buckets.count <= HEATMAP_ROWS_MAX);
      const bounds = boundsOf(buckets);
      const counts = countsIn(histogram, buckets);
      const total = counts.reduce((sum, count) => sum + count, 0);
      assert.equal(total, latencies.length);
      for (const us of latencies) {
        const ms = Math.max(us, 1) / 1_000;
        // Bounds are rounded, so a latency on one may be beyond it by a rounding error.
        const at = bounds.findIndex(({ to_ms: toMs }) => ms <= toMs * (1 + 1e-12));
        assert.ok((counts[at] ?? 0) > 0, `${us} us is in no bucket`);
      }
    }),
  );
});
