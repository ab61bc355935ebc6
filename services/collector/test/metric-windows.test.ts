import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { INTERFACE_METRIC_SCHEMA } from '@imscope/schemas/avro-schema.js';
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import { latencyBucket } from '@imscope/schemas/latency-histogram.js';
import { type Outcome, OUTCOMES } from '@imscope/schemas/outcome.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import { BatchCounts } from '../src/accounting/batch-counts.js';
import { CODES_MAX } from '../src/accounting/metric-window.js';
import { METRIC_LATE_MS_MAX, MetricWindows, type Series } from '../src/accounting/metric-windows.js';

/** The start of a minute. */ import { storedRecord } from './sample-record.js';

const NOW_MS = Date.UTC(2024, 4, 6, 7, 8);
const ALL_ROWS = Number.POSITIVE_INFINITY;

type Counted = Pick<
  RequestLog,
  'time' | 'sdk_app_id' | 'interface' | 'region' | 'outcome' | 'code' | 'latency_us' | 'weight'
>;

function record(changes: Partial<Counted> = {}): RequestLog {
  return storedRecord({ time: NOW_MS, ...changes });
}

function add(windows: MetricWindows, nowMs: number, records: readonly RequestLog[]): void {
  const counts = new BatchCounts<Series>();
  for (const each of records) note(windows, counts, each, nowMs);
  windows.merge(counts, 1, nowMs);
}

function note(windows: MetricWindows, counts: BatchCounts<Series>, each: RequestLog, nowMs: number): void {
  const series = windows.seriesOf(each);
  series.pending += 1;
  counts.append(series, each, windows.widthOf(series, each.time, nowMs));
}

/** Segments held and released, by number. */
function holds(): {
  hold: (segment: number) => void;
  release: (segment: number) => void;
  held: () => number;
} {
  let held = 0;
  return { hold: () => void (held += 1), release: () => void (held -= 1), held: () => held };
}

function take(windows: MetricWindows, nowMs: number, rowsMax: number): InterfaceMetric[] {
  return windows.closeDue(nowMs, rowsMax).map((window) => window.row());
}

function metricWindows(windowsMax = 10_000): MetricWindows {
  return new MetricWindows({ graceMs: 2_000, windowsMax, ...holds() });
}

type Sums = Record<string, number>;

function addTo(sums: Sums, key: string, amount: number): void {
  sums[key] = (sums[key] ?? 0) + amount;
}

/** Every figure by series and minute, so that windows of 10 and 60 s compare. Codes too, where none overflows. */
function sumsOfRows(rows: readonly InterfaceMetric[]): Sums {
  const sums: Sums = {};
  for (const row of rows) {
    const minute = Math.floor(row.window_start / 60_000);
    const series = `${row.sdk_app_id} ${row.interface} ${row.region} ${minute}`;
    for (const outcome of OUTCOMES) {
      if (row[outcome] > 0) addTo(sums, `${series} ${outcome}`, row[outcome]);
    }
    for (const [code, count] of Object.entries(row.codes)) addTo(sums, `${series} code ${code}`, count);
    for (const [bucket, count] of Object.entries(row.latency_histogram)) {
      addTo(sums, `${series} bucket ${bucket}`, count);
    }
    addTo(sums, `${series} latency`, row.latency_sum_us);
    addTo(sums, `${series} weight`, row.logged_weight);
    const key = `${series} max`;
    sums[key] = Math.max(sums[key] ?? 0, row.latency_max_us);
  }
  return sums;
}

function sumsOfRecords(records: readonly RequestLog[]): Sums {
  const sums: Sums = {};
  for (const each of records) {
    const minute = Math.floor(each.time / 60_000);
    const series = `${each.sdk_app_id} ${each.interface} ${each.region} ${minute}`;
    addTo(sums, `${series} ${each.outcome}`, 1);
    addTo(sums, `${series} code ${each.code ?? 'none'}`, 1);
    addTo(sums, `${series} bucket ${latencyBucket(each.latency_us)}`, 1);
    addTo(sums, `${series} latency`, each.latency_us);
    addTo(sums, `${series} weight`, each.weight);
    const key = `${series} max`;
    sums[key] = Math.max(sums[key] ?? 0, each.latency_us);
  }
  return sums;
}

const anyRecord = fc
  .record({
    time: fc.integer({ min: NOW_MS - 3_000_000, max: NOW_MS + 300_000 }),
    sdk_app_id: fc.integer({ min: 1, max: 3 }),
    interface: fc.constantFrom('a/b', 'c/d', '__proto__'),
    region: fc.constantFrom('', 'east'),
    outcome: fc.constantFrom<Outcome>(...OUTCOMES),
    code: fc.constantFrom(null, 0, -1, 60_020, 2_147_483_647, -2_147_483_648),
    latency_us: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 86_400_000_000 })),
    weight: fc.integer({ min: 0, max: 50 }),
  })
  .map(record);

test('whatever is written early, late or twice, the rows add up to the records in every column', () => {
  const step = fc.record({
    records: fc.array(anyRecord, { maxLength: 60 }),
    copies: fc.constantFrom(1, 1, 150),
    passedMs: fc.integer({ min: 0, max: 90_000 }),
    taken: fc.integer({ min: 0, max: 40 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), fc.constantFrom(1, 3, 20, 10_000), (steps, windowsMax) => {
      const windows = metricWindows(windowsMax);
      const added: RequestLog[] = [];
      const rows: InterfaceMetric[] = [];
      let nowMs = NOW_MS;
      for (const { records, copies, passedMs, taken } of steps) {
        const [first] = records;
        const repeated = first === undefined ? [] : Array.from({ length: copies - 1 }, () => first);
        add(windows, nowMs, [...records, ...repeated]);
        // No step reaches back beyond an hour: 8 × 90 s after 50 minutes at most.
        added.push(...records, ...repeated);
        nowMs += passedMs;
        rows.push(...take(windows, nowMs, taken));
        if (taken === ALL_ROWS) assert(windows.open <= windowsMax);
      }
      rows.push(...take(windows, Number.POSITIVE_INFINITY, ALL_ROWS));
      assert.equal(windows.open, 0);
      assert.equal(windows.tooLate, 0);
      assert.deepEqual(sumsOfRows(rows), sumsOfRecords(added));
    }),
    { numRuns: 200 },
  );
});

test('a quiet series has windows of a minute, and of ten seconds in the minute after 120 requests', () => {
  const windows = metricWindows();
  const busy = Array.from({ length: 120 }, (_, index) => record({ time: NOW_MS + index * 500 }));
  add(windows, NOW_MS, [...busy, record({ sdk_app_id: 2 })]);
  const later = NOW_MS + 65_000;
  add(windows, later, [
    record({ time: later }),
    record({ time: later + 9_000 }),
    record({ time: later, sdk_app_id: 2 }),
  ]);
  const rows = take(windows, Number.POSITIVE_INFINITY, ALL_ROWS);
  const shapes = rows.map((row) => [
    row.sdk_app_id,
    (row.window_start - NOW_MS) / 1_000,
    row.window_s,
    row.success,
  ]);
  assert.deepEqual(
    shapes.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0)),
    [
      [1, 0, 60, 120],
      [1, 60, 10, 1],
      [1, 70, 10, 1],
      [2, 0, 60, 1],
      [2, 60, 60, 1],
    ],
  );
});

test('a window is due after its grace period; a late one after ten seconds, in the minute of its event', () => {
  const windows = metricWindows();
  add(windows, NOW_MS, [record()]);
  assert.deepEqual(take(windows, NOW_MS + 61_999, ALL_ROWS), []);
  assert.equal(take(windows, NOW_MS + 62_000, ALL_ROWS).length, 1);
  const lateMs = NOW_MS + 30 * 60_000;
  add(windows, lateMs, [record({ time: NOW_MS + 5 })]);
  assert.deepEqual(take(windows, lateMs + 9_999, ALL_ROWS), []);
  const [late] = take(windows, lateMs + 10_000, ALL_ROWS);
  assert.equal(late?.window_start, NOW_MS);
  assert.equal(late.window_s, 60);
});

test('an event older than an hour is in no metric and is counted as too late', () => {
  const windows = metricWindows();
  const oldest = NOW_MS - METRIC_LATE_MS_MAX;
  add(windows, NOW_MS, [record({ time: oldest }), record({ time: oldest - 1 })]);
  assert.equal(windows.tooLate, 1);
  const rows = take(windows, Number.POSITIVE_INFINITY, ALL_ROWS);
  assert.deepEqual(
    rows.map(({ success }) => success),
    [1],
  );
});

test('codes above the bound of a window count as other, but none does not', () => {
  const windows = metricWindows();
  const codes = Array.from({ length: CODES_MAX + 5 }, (_, code) => record({ code: code + 1 }));
  add(windows, NOW_MS, [...codes, ...codes, record({ code: null }), record({ code: 0 })]);
  const [row] = take(windows, Number.POSITIVE_INFINITY, ALL_ROWS);
  assert.equal(Object.keys(row?.codes ?? {}).length, CODES_MAX + 3);
  assert.equal(row?.codes['other'], 10);
  assert.equal(row.codes['none'], 1);
  assert.equal(row.codes['0'], 1);
  assert.equal(row.codes['1'], 2);
});

test('above the bound the windows that are due first are written early, and counted', () => {
  const windows = metricWindows(10);
  const records = Array.from({ length: 25 }, (_, index) => record({ sdk_app_id: index + 1 }));
  add(windows, NOW_MS, records);
  assert.equal(windows.full, true);
  assert.equal(take(windows, NOW_MS, 5).length, 5);
  assert.equal(windows.full, true);
  assert.equal(take(windows, NOW_MS, ALL_ROWS).length, 10);
  assert.equal(windows.earlyWindows, 15);
  assert.equal(windows.open, 10);
  assert.equal(windows.full, false);
});

test('a sum of latencies that is too large to be exact is written as several rows', () => {
  const windows = metricWindows();
  const day = 86_400_000_000;
  const rows: InterfaceMetric[] = [];
  // As large as a batch may be, and what is full is taken before the next.
  for (let batch = 0; batch < 6; batch++) {
    add(
      windows,
      NOW_MS,
      Array.from({ length: 20_000 }, () => record({ latency_us: day })),
    );
    if (windows.full) rows.push(...take(windows, NOW_MS, ALL_ROWS));
  }
  rows.push(...take(windows, Number.POSITIVE_INFINITY, ALL_ROWS));
  assert(rows.length > 1);
  for (const row of rows) assert(INTERFACE_METRIC_SCHEMA.type.isValid(row));
  assert.equal(
    rows.reduce((sum, { success }) => sum + success, 0),
    120_000,
  );
});

test('idle series are removed within two minutes', () => {
  const windows = metricWindows();
  add(windows, NOW_MS, [record(), record({ region: 'west' })]);
  assert.equal(windows.seriesKnown, 2);
  take(windows, NOW_MS + 62_000, ALL_ROWS);
  take(windows, NOW_MS + 120_000, ALL_ROWS);
  assert.equal(windows.seriesKnown, 0);
});

const INTERFACES = Array.from({ length: 20 }, (_, index) => `service/command-${index}`);

/** A small generator of numbers within [0, 1), the same for every run. */
function random(): () => number {
  let state = 42;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('5,000 applications × 20 interfaces under heavy load make fewer rows than 10 % of the logs', () => {
  // Series do not touch each other: every tenth application stands for all, at a tenth of 30,000 records/s.
  const windows = metricWindows(15_000);
  const next = random();
  const perSecond = 3_000;
  const counts = new BatchCounts<Series>();
  let logs = 0;
  let rows = 0;
  for (let second = 0; second < 130; second++) {
    const nowMs = NOW_MS + second * 1_000;
    for (let index = 0; index < perSecond; index++) {
      // Few applications and interfaces have most of the traffic; events come up to 3 s late, some a minute.
      const sdkAppId = 1 + Math.floor(next() ** 2 * 500);
      const name = INTERFACES[Math.floor(next() ** 2 * 20)] ?? '';
      const lateMs = next() < 0.001 ? 60_000 : next() * 3_000;
      const request = record({
        sdk_app_id: sdkAppId,
        interface: name,
        time: Math.floor(nowMs - lateMs),
        latency_us: Math.floor(1_000 / (next() + 0.01)),
      });
      note(windows, counts, request, nowMs);
    }
    windows.merge(counts, 1, nowMs);
    counts.clear();
    logs += perSecond;
    rows += take(windows, nowMs, ALL_ROWS).length;
  }
  assert.equal(windows.earlyWindows, 0);
  // Windows still open count as written: more than were written in these minutes.
  rows += windows.open;
  assert(rows > 10_000, `${rows} rows`);
  assert(rows < logs * 0.1, `${rows} rows for ${logs} logs`);
});
