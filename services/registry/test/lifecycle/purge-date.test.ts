import assert from 'node:assert/strict';
import { test } from 'node:test';
import { purgeDateMs } from '../../src/rows/purge-date.js';

const CASES = [
  ['2026-01-15T10:20:30.400Z', '2026-03-15T10:20:30.400Z', 'the same day two months later'],
  ['2026-12-31T00:00:00.000Z', '2027-02-28T00:00:00.000Z', '31 December ends with February'],
  [
    '2027-12-31T23:59:59.999Z',
    '2028-02-29T23:59:59.999Z',
    '31 December ends with 29 February of a leap year',
  ],
  ['2026-12-30T12:00:00.000Z', '2027-02-28T12:00:00.000Z', '30 December ends with February'],
  ['2026-12-29T12:00:00.000Z', '2027-02-28T12:00:00.000Z', '29 December ends with February'],
  ['2027-12-29T12:00:00.000Z', '2028-02-29T12:00:00.000Z', '29 December reaches 29 February of a leap year'],
  ['2026-12-28T12:00:00.000Z', '2027-02-28T12:00:00.000Z', '28 December'],
  ['2099-12-31T12:00:00.000Z', '2100-02-28T12:00:00.000Z', '2100 is no leap year'],
  ['2026-07-31T12:00:00.000Z', '2026-09-30T12:00:00.000Z', '31 July ends with September'],
  ['2026-08-31T12:00:00.000Z', '2026-10-31T12:00:00.000Z', '31 August reaches 31 October'],
  ['2026-11-30T12:00:00.000Z', '2027-01-30T12:00:00.000Z', 'November reaches the next year'],
  ['2028-02-29T12:00:00.000Z', '2028-04-29T12:00:00.000Z', 'from 29 February'],
] as const;

for (const [terminatedAt, purgeAt, what] of CASES) {
  test(`two calendar months in UTC: ${what}`, () => {
    assert.equal(new Date(purgeDateMs(Date.parse(terminatedAt))).toISOString(), purgeAt);
  });
}
