/*
 * Bounds of the success rate and the verdict: over every split of what is missing the rate stays within its bounds, and
 * planted gaps are the fault of the one who made them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import fc from 'fast-check';
import { withVerdict } from '../../src/completeness/verdict.js';

const COMPLETE: Completeness = {
  status: 'complete',
  ratio: 1,
  watermark: null,
  missing_max: 0,
  silent_collectors: [],
};
const SILENT: Completeness = {
  ...COMPLETE,
  status: 'unknown',
  missing_max: null,
  silent_collectors: [
    { collector: 'edge-1', boot: 'boot000000000001', last_heard: '2026-11-24T12:00:00.000Z' },
  ],
  silent_estimate: 500,
};
const partial = (missing: number, ratio: number): Completeness => ({
  ...COMPLETE,
  status: 'partial',
  missing_max: missing,
  ratio,
});

function verdictOf(
  completeness: Completeness,
  [success, serviceErrors]: readonly [number, number],
  requestsBefore?: number,
) {
  const requests = success + serviceErrors;
  return withVerdict(completeness, { requests, success, serviceErrors, requestsBefore }, null).verdict;
}

test('however the missing records turned out, the success rate is within its bounds', () => {
  const counts = fc.nat({ max: 100_000 });
  fc.assert(
    fc.property(
      counts,
      counts,
      counts,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (success, errors, missing, share) => {
        fc.pre(success + errors > 0);
        const rated = { requests: success + errors, success, serviceErrors: errors };
        const bounds = withVerdict(partial(missing, 0.9), rated, null).success_rate;
        assert.ok(bounds !== undefined && bounds !== null);
        const succeeded = Math.round(missing * share);
        const rate = (success + succeeded) / (success + errors + missing);
        assert.ok(bounds.least <= rate + 1e-12 && rate <= bounds.greatest + 1e-12);
      },
    ),
  );
});

test('a missing record of a sampled application may be several successes, and one failure', () => {
  const rated = { requests: 1_000, success: 900, serviceErrors: 100 };
  const { success_rate: bounds } = withVerdict(partial(10, 0.99), rated, 0.1);
  assert.deepEqual(bounds, { least: 900 / 1_010, greatest: 1_000 / 1_100 });
});

test('without requests, or while a collector is silent, there are no bounds', () => {
  const none = { requests: 0, success: 0, serviceErrors: 0 };
  assert.equal(withVerdict(COMPLETE, none, null).success_rate, null);
  assert.equal(withVerdict(SILENT, { ...none, requests: 9, success: 9 }, null).success_rate, null);
});

test('too many errors even if all that is missing succeeded are the fault of the service', () => {
  assert.equal(verdictOf(COMPLETE, [9_000, 1_000])?.fault, 'service_fault');
  assert.equal(verdictOf(partial(1_000, 0.9), [9_000, 1_000])?.fault, 'service_fault');
  const { fault, reason } = verdictOf(SILENT, [9_000, 1_000]) ?? {};
  assert.equal(fault, 'service_fault');
  assert.match(reason ?? '', /at best 90\.\d+ %, if all 500 records that are missing succeeded/);
});

test('errors that what is missing may explain are not blamed on the service', () => {
  const known = verdictOf(partial(1_000_000, 0.5), [9_900, 100]);
  assert.equal(known?.fault, 'telemetry_fault');
  assert.match(
    known.reason,
    /which what is missing may explain; 50 % of what collectors accepted is not stored/,
  );
  assert.equal(verdictOf(partial(1_000_000, 1), [9_900, 100])?.fault, 'unknown');
});

test('requests that fell while collectors are silent or records are missing are the fault of the telemetry', () => {
  const silent = verdictOf(SILENT, [100, 0], 1_000);
  assert.equal(silent?.fault, 'telemetry_fault');
  assert.match(silent.reason, /^requests fell by 90 % .*; collector edge-1 silent since/);
  assert.equal(verdictOf(partial(20, 0.9995), [100, 0], 1_000)?.fault, 'telemetry_fault');
});

test('requests that fell while everything is stored are no fault, and the reason says that fewer came', () => {
  const { fault, reason } = verdictOf(COMPLETE, [100, 0], 1_000) ?? {};
  assert.equal(fault, 'none');
  assert.match(reason ?? '', /requests fell by 90 %.*fewer requests came/);
  assert.equal(verdictOf(COMPLETE, [4, 0], 90)?.reason, 'nothing looks wrong');
});

test('a loss too small to change a rate is no fault, and is said', () => {
  const { fault, reason } = verdictOf(partial(5, 0.9995), [10_000, 0]) ?? {};
  assert.equal(fault, 'none');
  assert.match(reason ?? '', /nothing looks wrong; 0\.05 % of what collectors accepted is not stored/);
});

test('where nothing is known of what collectors accepted the verdict is unknown', () => {
  const nothing = { ...COMPLETE, status: 'unknown', ratio: null, missing_max: null } as const;
  assert.equal(verdictOf(nothing, [10_000, 0])?.fault, 'unknown');
  assert.equal(verdictOf(nothing, [9_000, 1_000])?.fault, 'unknown');
});
