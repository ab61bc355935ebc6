import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '@imscope/runtime/logger.js';
import { createRegistry } from '@imscope/runtime/metrics.js';
import { createReadiness } from '@imscope/runtime/readiness.js';
import { createAggregatorMetrics } from '../src/metrics.js';
import { ProgressReport } from '../src/consume/progress-report.js';
import type { PartitionState } from '../src/consume/progress-watch.js';

const AT = { topic: 'im.request-log', partition: 0 };
const NAME = 'progress of im.request-log:0';
const LAGGING: PartitionState = {
  nextOffset: 10,
  progressMs: 0,
  holdsUnstored: false,
  log: { start: 0, stable: 12, end: 12, observedMs: 0 },
  fetchingWaits: false,
};

/** Of a process that ends 40 seconds after the last progress. */
function reporting() {
  const readiness = createReadiness([]);
  const failures: string[] = [];
  const report = new ProgressReport({
    options: { bounds: { rowsMax: 1, bytesMax: 1 }, markerAgeMs: 1_000, stallTimeoutMs: 40_000 },
    metrics: createAggregatorMetrics(createRegistry('aggregator')),
    logger: createLogger('aggregator', 'silent'),
    readiness,
    fail: ({ message }) => failures.push(message),
  });
  return { report, readiness, failures };
}

test('a partition is named after a quarter of the time in which the process ends, until it continues', () => {
  const { report, readiness, failures } = reporting();
  report.report(AT, LAGGING, 0);
  report.report(AT, LAGGING, 9_999);
  assert.deepEqual(readiness.state().failing, {});
  report.report(AT, LAGGING, 10_000);
  assert.deepEqual(readiness.state().failing, {
    [NAME]: 'no progress for 10 s: 2 offsets after 9 are not read',
  });
  report.report(AT, { ...LAGGING, nextOffset: 11, progressMs: 10_500 }, 11_000);
  assert.deepEqual([readiness.state().ready, failures], [true, []]);
});

test('the process ends where messages can be read and are not, unless something else is known to fail', () => {
  const { report, readiness, failures } = reporting();
  report.report(AT, LAGGING, 0);
  readiness.report('store', 'away');
  report.report(AT, LAGGING, 40_001);
  assert.deepEqual(failures, []);
  readiness.report('store');
  report.report(AT, LAGGING, 40_002);
  assert.deepEqual(failures, [
    'im.request-log:0 makes no progress with a lag of 2 messages: 2 offsets after 9 are not read',
  ]);
});
