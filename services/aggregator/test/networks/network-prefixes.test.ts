import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type AddressFamily,
  type AddressRange,
  IPV4,
  IPV6,
  prefixesOf,
} from '../../src/networks/network-prefixes.js';

const ipv4 = (text: string): bigint =>
  text.split('.').reduce((address, byte) => address * 256n + BigInt(byte), 0n);
const range = (first: string, last: string, asn: number): AddressRange => ({
  first: ipv4(first),
  last: ipv4(last),
  asn,
});
const texts = (ranges: readonly AddressRange[], family: AddressFamily = IPV4): string[] =>
  [...prefixesOf(ranges, family)].map(({ prefix, asn }) => `${prefix} ${asn}`);

test('a range becomes the fewest prefixes that hold exactly it', () => {
  assert.deepEqual(texts([range('1.0.1.0', '1.0.8.255', 7)]), [
    '1.0.1.0/24 7',
    '1.0.2.0/23 7',
    '1.0.4.0/22 7',
    '1.0.8.0/24 7',
  ]);
  const first = 0x2001_0db8n << 96n;
  assert.deepEqual(texts([{ first, last: first + (1n << 96n) - 1n, asn: 9 }], IPV6), [
    '2001:0db8:0000:0000:0000:0000:0000:0000/32 9',
  ]);
});

test('neighbouring ranges of one system become one prefix', () => {
  assert.deepEqual(texts([range('1.0.0.0', '1.0.0.255', 7), range('1.0.1.0', '1.0.1.255', 7)]), [
    '1.0.0.0/23 7',
  ]);
});

test('a /24 of several systems counts as the one with the most addresses, of equals as the lower number', () => {
  const shared = [
    range('1.0.0.0', '1.0.0.127', 9),
    range('1.0.0.128', '1.0.0.191', 7),
    range('1.0.0.192', '1.0.0.255', 7),
    range('1.0.1.0', '1.0.1.9', 9),
    range('1.0.1.10', '1.0.3.255', 5),
  ];
  assert.deepEqual(texts(shared), ['1.0.0.0/24 7', '1.0.1.0/24 5', '1.0.2.0/23 5']);
});

test('addresses of two ranges count as the earlier one’s, and ranges out of order are refused', () => {
  assert.deepEqual(texts([range('1.0.0.0', '1.0.1.255', 7), range('1.0.1.0', '1.0.3.255', 5)]), [
    '1.0.0.0/23 7',
    '1.0.2.0/23 5',
  ]);
  assert.throws(
    () => texts([range('1.0.1.0', '1.0.1.255', 7), range('1.0.0.0', '1.0.0.255', 5)]),
    /AS5 is out of order/,
  );
});

test('for any ranges, each unit has the system that holds most of it, and only one', () => {
  const family: AddressFamily = { bits: 12, unitLength: 8, text: String };
  const cuts = fc.uniqueArray(fc.integer({ min: 0, max: 4_095 }), { minLength: 2, maxLength: 40 });
  fc.assert(
    fc.property(
      cuts,
      fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 40, maxLength: 40 }),
      (at, asns) => {
        const sorted = at.toSorted((a, b) => a - b);
        // System 0 is a gap.
        const ranges = sorted
          .slice(1)
          .map((end, index) => ({ first: sorted[index] ?? 0, last: end - 1, asn: asns[index] ?? 0 }))
          .filter(({ asn }) => asn > 0);
        const wanted = new Map<number, number>();
        for (let unit = 0; unit < 256; unit++) {
          const addresses = new Map<number, number>();
          for (const { first, last, asn } of ranges) {
            const inside = Math.min(last, unit * 16 + 15) - Math.max(first, unit * 16) + 1;
            if (inside > 0) addresses.set(asn, (addresses.get(asn) ?? 0) + inside);
          }
          const [most] = [...addresses].toSorted(([a, countA], [b, countB]) => countB - countA || a - b);
          if (most !== undefined) wanted.set(unit, most[0]);
        }
        const given = new Map<number, number>();
        const big = ranges.map(({ first, last, asn }) => ({ first: BigInt(first), last: BigInt(last), asn }));
        for (const { prefix, asn } of prefixesOf(big, family)) {
          const [address = 0, length = 0] = prefix.split('/').map(Number);
          for (let unit = address / 16; unit < address / 16 + 2 ** (8 - length); unit++) {
            assert.ok(!given.has(unit), `unit ${unit} is in two prefixes`);
            given.set(unit, asn);
          }
        }
        assert.deepEqual(given, new Map([...wanted].toSorted(([a], [b]) => a - b)));
      },
    ),
  );
});
