import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TIME_PATTERN as API_TIME_PATTERN } from '@imscope/schemas/query-api/parameters.js';
import {
  isTime,
  refreshIntervalMs,
  TIME_PATTERN,
  toLocalField,
  type TimeWindow,
  toMs,
  widen,
} from '../src/state/time-window.js';
import { clippedText, customWindow, describeWindow } from '../src/words/window-text.js';

const NOW = Date.parse('2026-11-23T12:00:00Z');

test('the pattern of times is the query API’s', () => {
  assert.equal(TIME_PATTERN, API_TIME_PATTERN);
});

test('a text that only looks like a time is not a time', () => {
  assert.equal(isTime('2026-11-23T12:00:00Z'), true);
  assert.equal(isTime('2026-13-45T12:00:00Z'), false);
  assert.equal(isTime('tomorrow'), false);
});

test('relative times count back from now', () => {
  assert.equal(toMs('now', NOW), NOW);
  assert.equal(toMs('now-15m', NOW), NOW - 900_000);
  assert.equal(toMs('now-7d', NOW), NOW - 604_800_000);
});

test('epoch milliseconds are times', () => {
  assert.equal(isTime(String(NOW)), true);
  assert.equal(toMs(String(NOW), 0), NOW);
});

test('longer windows are refreshed less often, past ones never', () => {
  assert.equal(refreshIntervalMs({ from: 'now-15m', to: 'now' }), 5000);
  assert.equal(refreshIntervalMs({ from: 'now-1h', to: 'now' }), 5000);
  assert.equal(refreshIntervalMs({ from: 'now-6h', to: 'now' }), 15_000);
  assert.equal(refreshIntervalMs({ from: 'now-24h', to: 'now' }), 30_000);
  assert.equal(refreshIntervalMs({ from: 'now-7d', to: 'now' }), 60_000);
  assert.equal(refreshIntervalMs({ from: '2026-11-23T10:00:00Z', to: '2026-11-23T11:00:00Z' }), null);
});

test('zooming out doubles the span and does not reach into the future', () => {
  assert.deepEqual(widen({ from: '2026-11-23T10:00:00Z', to: '2026-11-23T11:00:00Z' }, NOW), {
    from: '2026-11-23T09:30:00.000Z',
    to: '2026-11-23T11:30:00.000Z',
  });
  assert.deepEqual(widen({ from: 'now-1h', to: 'now' }, NOW), {
    from: '2026-11-23T10:00:00.000Z',
    to: '2026-11-23T12:00:00.000Z',
  });
});

test('a window has a name, or its two times', () => {
  assert.equal(describeWindow({ from: 'now-24h', to: 'now' }, NOW, 'UTC'), 'Last 24 hours');
  assert.equal(describeWindow({ from: 'now-90m', to: 'now' }, NOW, 'UTC'), 'Last 1 h 30 min');
  assert.equal(
    describeWindow({ from: '2026-11-23T10:00:00Z', to: '2026-11-23T11:00:00Z' }, NOW, 'UTC'),
    '10:00 – 11:00 (1 h)',
  );
});

function problemWith(chosen: TimeWindow | string): string {
  return typeof chosen === 'string' ? chosen : 'none';
}

test('a window of the reader’s own is accepted, or refused with what is wrong', () => {
  assert.match(problemWith(customWindow('', '', NOW)), /begins/);
  assert.match(problemWith(customWindow(toLocalField(NOW), toLocalField(NOW - 1000), NOW)), /before it ends/);
  assert.match(problemWith(customWindow(toLocalField(NOW - 8 * 86_400_000), '', NOW)), /7 days/);
  assert.deepEqual(customWindow(toLocalField(NOW - 60_000), '', NOW), {
    from: '2026-11-23T11:59:00.000Z',
    to: 'now',
  });
});

test('an answer that covers less than was asked for says what it covers', () => {
  const now = Date.parse('2026-11-24T12:00:00.000Z');
  const last = (days: number) => ({
    from: new Date(now - days * 86_400_000).toISOString(),
    to: new Date(now).toISOString(),
  });
  assert.match(clippedText({ from: 'now-9d', to: 'now' }, last(7), now) ?? '', /kept 7 days: showing 7 d$/);
  assert.equal(clippedText({ from: 'now-7d', to: 'now' }, last(7), now), null);
  // A browser whose clock is an hour off.
  assert.equal(clippedText({ from: 'now-7d', to: 'now' }, last(7), now + 3_600_000), null);
  assert.match(clippedText({ from: last(8).from, to: 'now' }, last(7), now) ?? '', /showing 7 d$/);
  assert.equal(clippedText(last(1), last(1), now), null);
  const toTheMinute = { from: new Date(Date.parse(last(7).from) + 50_000).toISOString(), to: last(7).to };
  assert.equal(clippedText({ from: 'now-7d', to: 'now' }, toTheMinute, now), null);
  assert.match(clippedText({ from: 'now-9d', to: 'now' }, toTheMinute, now) ?? '', /showing 7 d$/);
});
