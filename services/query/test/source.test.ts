import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coveredSpan, firstKeptMs, partsOf } from '../src/figures/source.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW = Date.UTC(2026, 10, 23, 12, 0, 30, 250);
const at = (hour: number, minute = 0, second = 0, day = 23): number =>
  Date.UTC(2026, 10, day, hour, minute, second);

test('a window has three parts of whole minutes: settled, written, and the last minutes', () => {
  assert.deepEqual(partsOf({ fromMs: at(9, 0, 1), toMs: NOW }, NOW), {
    fromMs: at(9, 1),
    settledToMs: at(10, 50),
    writtenToMs: at(11, 57),
    toMs: at(12),
  });
});

test('a window of whole minutes long ago is settled completely', () => {
  assert.deepEqual(partsOf({ fromMs: at(3), toMs: at(4) }, NOW), {
    fromMs: at(3),
    settledToMs: at(4),
    writtenToMs: at(4),
    toMs: at(4),
  });
});

test('a window without a whole minute has no parts', () => {
  assert.equal(partsOf({ fromMs: at(9, 0, 1), toMs: at(9, 1, 59) }, NOW), null);
  assert.equal(partsOf({ fromMs: NOW - 49 * HOUR_MS, toMs: NOW - 48 * HOUR_MS }, NOW), null);
});

test('minutes that may expire before they are read come from the logs', () => {
  const parts = partsOf({ fromMs: NOW - 60 * HOUR_MS, toMs: NOW }, NOW);
  assert.equal(parts?.fromMs, firstKeptMs(NOW));
  const marginMs = firstKeptMs(NOW) - (NOW - 48 * HOUR_MS);
  assert.ok(marginMs >= 5 * MINUTE_MS && marginMs < 6 * MINUTE_MS, String(marginMs));
});

test('each part is read from the metrics where they hold no less than the logs', () => {
  const parts = { fromMs: 0, settledToMs: 10, writtenToMs: 20, toMs: 30 };
  const cases: [settled: number, written: number, span: [number, number] | null][] = [
    [0, 0, [0, 20]],
    [-5, -5, [0, 20]],
    [1, 0, [10, 20]],
    [0, 1, [0, 10]],
    [1, 1, null],
  ];
  for (const [settledMissing, writtenMissing, span] of cases) {
    const expected = span === null ? null : { fromMs: span[0], toMs: span[1] };
    assert.deepEqual(coveredSpan(parts, { settledMissing, writtenMissing }), expected);
  }
});

test('an empty part is not read from the metrics', () => {
  const parts = { fromMs: 10, settledToMs: 10, writtenToMs: 10, toMs: 20 };
  assert.equal(coveredSpan(parts, { settledMissing: 0, writtenMissing: 0 }), null);
});
