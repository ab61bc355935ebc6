import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { parseIpAddress } from '@imscope/schemas/ip-address.js';
import fc from 'fast-check';
import { exitAddress } from '../src/intake/exit-address.js';

/** Four numbers with dots between, and what nearly is. */
const nearlyIpv4 = fc
  .array(fc.oneof(fc.nat(300).map(String), fc.constantFrom('', '00', '01', '1a', '+1', '256', ' 1', '١')), {
    minLength: 3,
    maxLength: 5,
  })
  .map((parts) => parts.join('.'));

test('exactly the texts that Node.js accepts are addresses, with the same bytes', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), nearlyIpv4, fc.ipV6(), fc.string({ maxLength: 16 })), (text) => {
      const address = exitAddress(text);
      const bytes = parseIpAddress(text);
      if (isIP(text) === 4) assert.equal(address, bytes?.readUInt32BE(12));
      else assert.deepEqual(address, bytes);
      assert.deepEqual(exitAddress(text), address, 'the second time');
    }),
    { numRuns: 5_000 },
  );
});

test('edge cases of IPv4 texts', () => {
  assert.equal(exitAddress('0.0.0.0'), 0);
  assert.equal(exitAddress('255.255.255.255'), 0xffff_ffff);
  for (const text of [
    '',
    '.',
    '1.2.3',
    '1.2.3.',
    '.1.2.3',
    '1.2.3.4.',
    '1.2.3.4.5',
    '1..3.4',
    '01.2.3.4',
    '1.2.3.256',
  ]) {
    assert.equal(exitAddress(text), undefined, text);
  }
});
