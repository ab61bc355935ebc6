import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRfc3339 } from '../src/intake/parse-time.js';

test('every instant of four-digit years comes back from its ISO text', () => {
  const from = Date.UTC(1000, 0, 1);
  const to = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
  fc.assert(
    fc.property(fc.integer({ min: from, max: to }), (ms) => parseRfc3339(new Date(ms).toISOString()) === ms),
    { numRuns: 2_000 },
  );
});

test('an offset is how far local time is ahead of UTC', () => {
  const noon = Date.UTC(2024, 1, 29, 12);
  assert.equal(parseRfc3339('2024-02-29T20:00:00+08:00'), noon);
  assert.equal(parseRfc3339('2024-02-29T06:30:00-05:30'), noon);
  assert.equal(parseRfc3339('2024-02-29T12:00:00-00:00'), noon);
});

test('a fraction of any length is truncated to milliseconds', () => {
  const noon = Date.UTC(2024, 1, 29, 12);
  assert.equal(parseRfc3339('2024-02-29T12:00:00.5Z'), noon + 500);
  assert.equal(parseRfc3339('2024-02-29T12:00:00.04Z'), noon + 40);
  assert.equal(parseRfc3339('2024-02-29T12:00:00.0019999Z'), noon + 1);
  assert.equal(parseRfc3339('2024-02-29T20:00:00.123456789+08:00'), noon + 123);
});

test('lower case, a space and the leap second are RFC 3339 too', () => {
  assert.equal(parseRfc3339('2024-02-29t12:00:00z'), Date.UTC(2024, 1, 29, 12));
  assert.equal(parseRfc3339('2024-02-29 12:00:00Z'), Date.UTC(2024, 1, 29, 12));
  assert.equal(parseRfc3339('2016-12-31T23:59:60Z'), Date.UTC(2017, 0, 1));
});

test('other text is refused, also if Date.parse accepts it', () => {
  const refused = [
    '',
    '1',
    '2024',
    '2024-02-29',
    '2024-02-29T12:00Z',
    '2024-02-29T12:00:00',
    '2024-02-29T12:00:00.Z',
    '2024-02-29T12:00:00+0800',
    '2023-02-29T12:00:00Z',
    '1900-02-29T12:00:00Z',
    '2024-04-31T12:00:00Z',
    '2024-13-01T12:00:00Z',
    '2024-00-01T12:00:00Z',
    '2024-01-00T12:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T12:60:00Z',
    '2024-01-01T12:00:61Z',
    '2024-01-01T12:00:00+24:00',
    ' 2024-01-01T12:00:00Z',
    '2024-01-01T12:00:00Z\n',
    '+002024-01-01T12:00:00Z',
    'Mon, 01 Jan 2024 12:00:00 GMT',
    '٢٠٢٤-01-01T12:00:00Z',
  ];
  for (const text of refused) assert.equal(parseRfc3339(text), undefined, text);
});
