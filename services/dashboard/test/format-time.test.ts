import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatAge,
  formatClock,
  formatClockMs,
  formatMinute,
  formatSpan,
  formatUtc,
} from '../src/words/format-time.js';

const AT = Date.parse('2026-11-23T12:03:04.120Z');
const HOUR = 3_600_000;

test('a time of today is a clock time in the zone asked for', () => {
  assert.equal(formatClock(AT, AT + HOUR, 'UTC'), '12:03:04');
  assert.equal(formatClock(AT, AT + HOUR, 'Asia/Shanghai'), '20:03:04');
  assert.equal(formatClockMs(AT, AT, 'UTC'), '12:03:04.120');
  assert.equal(formatMinute(AT, AT, 'UTC'), '12:03');
});

test('a time of another day has its date', () => {
  assert.equal(formatClock(AT, AT + 24 * HOUR, 'UTC'), '23 Nov 12:03:04');
  assert.equal(formatMinute(AT, AT + 24 * HOUR, 'UTC'), '23 Nov 12:03');
});

test('a time of another year has its year, also on the same day of it', () => {
  assert.equal(formatClock(AT, AT + 365 * 24 * HOUR, 'UTC'), '23 Nov 2026 12:03:04');
  assert.equal(formatClock(AT, AT - 365 * 24 * HOUR, 'UTC'), '23 Nov 2026 12:03:04');
});

test('which day it is follows the zone', () => {
  const late = Date.parse('2026-11-23T23:30:00Z');
  assert.equal(formatClock(late, AT, 'UTC'), '23:30:00');
  assert.equal(formatClock(late, AT, 'Asia/Shanghai'), '24 Nov 07:30:00');
});

test('UTC is given to the millisecond', () => {
  assert.equal(formatUtc(AT), '2026-11-23 12:03:04.120 UTC');
  assert.equal(formatUtc(NaN), 'no time');
});

test('spans read in their two greatest units', () => {
  const expected: readonly (readonly [number, string])[] = [
    [-5, '0 s'],
    [4000, '4 s'],
    [60_000, '1 min'],
    [61_000, '1 min 1 s'],
    [301_000, '5 min'],
    [HOUR, '1 h'],
    [HOUR + 60_000, '1 h 1 min'],
    [47 * HOUR, '47 h'],
    [50 * HOUR, '2 d 2 h'],
    [168 * HOUR, '7 d'],
  ];
  for (const [ms, text] of expected) assert.equal(formatSpan(ms), text);
});

test('what is younger than two seconds, or ahead of a slow clock, is just now', () => {
  assert.equal(formatAge(AT, AT + 1999), 'just now');
  assert.equal(formatAge(AT, AT - 5000), 'just now');
  assert.equal(formatAge(AT, AT + 4000), '4 s ago');
});
