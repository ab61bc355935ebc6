import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import fc from 'fast-check';
import { countSteps, resolveStep, resolveWindow, stepsOf } from '../src/figures/time-window.js';

const NOW = Date.UTC(2026, 10, 23, 12, 0, 30, 250);
const HOUR_MS = 3_600_000;

test('without from and to the last hour is meant', () => {
  assert.deepEqual(resolveWindow({}, NOW), { fromMs: NOW - HOUR_MS, toMs: NOW });
});

test('with to alone the hour before it is meant', () => {
  const toMs = NOW - 5 * HOUR_MS;
  assert.deepEqual(resolveWindow({ to: 'now-5h' }, NOW), { fromMs: toMs - HOUR_MS, toMs });
});

test('times are read relative to now, as RFC 3339 with any offset and precision, and as epoch milliseconds', () => {
  const cases: [text: string, ms: number][] = [
    ['now-90s', NOW - 90_000],
    ['now-15m', NOW - 900_000],
    ['now-2d', NOW - 48 * HOUR_MS],
    ['2026-11-23T10:00Z', Date.UTC(2026, 10, 23, 10)],
    ['2026-11-23T18:00:00+08:00', Date.UTC(2026, 10, 23, 10)],
    ['2026-11-23T10:00:00.123456789Z', Date.UTC(2026, 10, 23, 10, 0, 0, 123)],
    [String(Date.UTC(2026, 10, 23, 10, 0, 0, 123)), Date.UTC(2026, 10, 23, 10, 0, 0, 123)],
  ];
  for (const [from, ms] of cases) assert.equal(resolveWindow({ from }, NOW).fromMs, ms, from);
});

test('a window that begins before the term begins at the term', () => {
  assert.equal(resolveWindow({ from: 'now-100d' }, NOW).fromMs, NOW - 168 * HOUR_MS);
});

test('a step that is not given makes at most 60 steps of any window', () => {
  const expected: [hours: number, stepS: number][] = [
    [1 / 60, 1],
    [0.25, 15],
    [1, 60],
    [6, 600],
    [24, 1_800],
    [168, 10_800],
  ];
  for (const [hours, stepS] of expected) {
    const window = { fromMs: NOW - hours * HOUR_MS, toMs: NOW };
    assert.equal(resolveStep(undefined, window, 1_500), stepS * 1000, `${hours} h`);
  }
});

test('steps begin at multiples of the step; the first and the last count what lies in the window', () => {
  const fromMs = Date.UTC(2026, 10, 23, 11, 59, 50);
  assert.deepEqual(stepsOf({ fromMs, toMs: NOW }, 20_000), [
    { startMs: Date.UTC(2026, 10, 23, 11, 59, 40), seconds: 10 },
    { startMs: Date.UTC(2026, 10, 23, 12, 0, 0), seconds: 20 },
    { startMs: Date.UTC(2026, 10, 23, 12, 0, 20), seconds: 10.25 },
  ]);
});

test('as many steps as are allowed are allowed', () => {
  const window = { fromMs: 0, toMs: 1_500_000 };
  assert.equal(resolveStep('1s', window, 1_500), 1_000);
  assert.throws(() => resolveStep('1s', { fromMs: 0, toMs: 1_500_001 }, 1_500), {
    code: 'invalid_parameter',
  });
});

test('a window ends at the clock tolerance of collectors, and begins before it', () => {
  const aheadMs = REQUEST_LOG_BOUNDS.aheadMsMax;
  assert.equal(resolveWindow({ to: '9999-12-31T23:59:59Z' }, NOW).toMs, NOW + aheadMs);
  const future = new Date(NOW + aheadMs).toISOString();
  assert.throws(() => resolveWindow({ from: future, to: '9999-12-31T23:59:59Z' }, NOW), {
    code: 'invalid_parameter',
    message: /is in the future/,
  });
});

test('whatever window and step are asked for, an answer has few points or is refused', () => {
  const time = fc.oneof(
    fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    fc
      .tuple(fc.nat({ max: 999_999 }), fc.constantFrom('s', 'm', 'h', 'd'))
      .map(([count, unit]) => `now-${count}${unit}`),
    fc.constantFrom('now', '9999-12-31T23:59:60Z', '0000-01-01T00:00:00+23:59'),
  );
  const step = fc.option(
    fc
      .tuple(fc.integer({ min: 1, max: 99_999 }), fc.constantFrom('s', 'm', 'h', 'd'))
      .map(([count, unit]) => `${count}${unit}`),
    { nil: undefined },
  );
  fc.assert(
    fc.property(fc.option(time), fc.option(time), step, (from, to, step) => {
      try {
        const query = { ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) };
        const window = resolveWindow(query, NOW);
        assert.ok(window.fromMs < window.toMs);
        assert.ok(window.fromMs >= NOW - 168 * HOUR_MS && window.toMs <= NOW + REQUEST_LOG_BOUNDS.aheadMsMax);
        const stepMs = resolveStep(step, window, 120);
        assert.ok(stepsOf(window, stepMs).length <= 120);
        assert.equal(stepsOf(window, stepMs).length, countSteps(window, stepMs));
      } catch (error) {
        assert.ok(error instanceof HttpError, String(error));
        assert.equal(error.code, 'invalid_parameter');
      }
    }),
  );
});
