import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Window } from '@imscope/schemas/query-api/envelope.js';
import type { TimePoint } from '@imscope/schemas/query-api/timeseries.js';
import { BUCKETS_MAX, perSecond, snapToBuckets, toBuckets } from '../src/charts/buckets.js';
import {
  delaySeries,
  extentOf,
  outcomeSeries,
  rateFloor,
  stackSeries,
  successRateSeries,
} from '../src/charts/chart-series.js';
import { sparklineShape } from '../src/charts/sparkline-path.js';

function point(time: string, success: number, serviceErrors: number, unknown = 0): TimePoint {
  const judged = success + serviceErrors;
  return {
    time: `2026-11-23T${time}.000Z`,
    requests: judged + unknown,
    requests_per_s: (judged + unknown) / 60,
    outcomes: { success, caller_error: 0, service_error: serviceErrors, unknown },
    success_rate: judged === 0 ? null : success / judged,
    latency_ms: { avg: 2, p50: 1, p90: 3, p95: 4, p99: 5, max: 6 },
  };
}

const window = (from: string, to: string, step: number | null = 60): Window => ({
  from: `2026-11-23T${from}.000Z`,
  to: `2026-11-23T${to}.000Z`,
  step,
  source: 'logs',
  metrics: null,
  logged_share: 1,
});

test('steps without requests have zero requests and no rate', () => {
  const buckets = toBuckets([point('12:01:00', 60, 0)], window('12:00:00', '12:04:00'));
  assert.deepEqual(
    buckets.map(({ requests }) => requests),
    [0, 60, 0, 0],
  );
  assert.deepEqual(
    buckets.map(({ successRate }) => successRate),
    [null, 1, null, null],
  );
});

test('a step cut by the window counts its rate over the part inside', () => {
  const buckets = toBuckets(
    [point('12:00:00', 30, 0), point('12:01:00', 60, 0), point('12:02:00', 30, 0)],
    window('12:00:30', '12:02:30'),
  );
  assert.deepEqual(
    buckets.map((bucket) => perSecond(bucket, bucket.requests)),
    [1, 1, 1],
  );
});

test('a last step that has hardly begun is left out', () => {
  const points = [point('12:00:00', 60, 0), point('12:01:00', 1, 0)];
  assert.equal(toBuckets(points, window('12:00:00', '12:01:10')).length, 1);
  assert.equal(toBuckets(points, window('12:00:00', '12:01:30')).length, 2);
});

test('an answer without points or steps has no buckets', () => {
  assert.deepEqual(toBuckets([], window('12:00:00', '12:04:00')), []);
  assert.deepEqual(toBuckets([point('12:00:00', 1, 0)], window('12:00:00', '12:04:00', null)), []);
});

test('the number of buckets is bounded whatever the step', () => {
  assert.equal(toBuckets([point('12:00:00', 1, 0)], window('00:00:00', '23:59:59', 1)).length, BUCKETS_MAX);
});

test('dragging over parts of steps selects complete steps', () => {
  const buckets = toBuckets([point('12:00:00', 1, 0)], window('12:00:00', '12:04:00'));
  const base = Date.parse('2026-11-23T12:00:00Z');
  assert.deepEqual(snapToBuckets(buckets, base / 1000 + 70, base / 1000 + 130), {
    fromMs: base + 60_000,
    toMs: base + 180_000,
  });
  assert.equal(snapToBuckets(buckets, base / 1000 + 9000, base / 1000 + 9100), null);
});

test('stacked series sum up to all requests, with errors at the bottom', () => {
  const buckets = toBuckets([point('12:00:00', 54, 6)], window('12:00:00', '12:01:00'));
  const stacked = stackSeries(outcomeSeries(buckets));
  assert.equal(stacked[0]?.key, 'service_error');
  assert.deepEqual(
    stacked.map(({ values }) => values[0]),
    [0.1, 0.1, 1],
  );
});

const keysOf = (unknown: number): string[] => {
  const buckets = toBuckets([point('12:00:00', 1, 0, unknown)], window('12:00:00', '12:01:00'));
  return outcomeSeries(buckets).map(({ key }) => key);
};

test('unknown outcomes have a series only where there are any', () => {
  assert.equal(keysOf(0).includes('unknown'), false);
  assert.equal(keysOf(1).includes('unknown'), true);
});

const floorOf = (success: number, errors: number): number => {
  const buckets = toBuckets([point('12:00:00', success, errors)], window('12:00:00', '12:01:00'));
  return rateFloor(successRateSeries(buckets));
};

test('the axis of the success rate leaves room below the worst point and never goes below zero', () => {
  assert.equal(floorOf(100, 0), 0.999);
  assert.ok(floorOf(90, 10) < 0.9 && floorOf(90, 10) > 0.8);
  assert.equal(floorOf(0, 10), 0);
  assert.equal(rateFloor(successRateSeries([])), 0.99);
});

test('the extent of series leaves out unknown values', () => {
  const buckets = toBuckets([point('12:01:00', 1, 0)], window('12:00:00', '12:03:00'));
  assert.deepEqual(extentOf(delaySeries(buckets)), { min: 1, max: 5 });
  assert.equal(extentOf([]), null);
});

const BOX = { width: 40, rateHeight: 12, gap: 2, volumeHeight: 10 };

test('a healthy sparkline is a flat line on top without a mark', () => {
  const spark = [100, 50].map((requests) => ({ time: '', requests, success_rate: 1 }));
  const shape = sparklineShape(spark, BOX);
  assert.equal(shape.worst, null);
  assert.equal(shape.rate, 'M5.0 1.0H10.0L30.0 1.0');
  assert.equal(shape.volume, 'M10.0 24.0v-10.0M30.0 24.0v-5.0');
});

test('the worst moment is marked at the bottom and gaps break the line', () => {
  const shape = sparklineShape(
    [
      { time: '', requests: 10, success_rate: 1 },
      { time: '', requests: 0, success_rate: null },
      { time: '', requests: 10, success_rate: 0.5 },
      { time: '', requests: 10, success_rate: 0.9 },
    ],
    BOX,
  );
  assert.deepEqual(shape.worst, { x: 25, y: 11, rate: 0.5 });
  assert.equal(shape.rate.match(/M/g)?.length, 2);
});

test('a moment with an error or two is not marked', () => {
  assert.equal(sparklineShape([{ time: '', requests: 10, success_rate: 0.8 }], BOX).worst, null);
  assert.notEqual(sparklineShape([{ time: '', requests: 10, success_rate: 0.7 }], BOX).worst, null);
});

test('an empty sparkline draws nothing', () => {
  assert.deepEqual(sparklineShape([], BOX), { rate: '', volume: '', worst: null });
});
