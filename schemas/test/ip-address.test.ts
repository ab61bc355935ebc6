import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressBeforePort, maskIpAddress, parseIpAddress } from '../src/ip-address.js';

test('IPv4 is mapped into ::ffff:0:0/96', () => {
  assert.equal(parseIpAddress('203.0.113.7')?.toString('hex'), '00000000000000000000ffffcb007107');
  assert.equal(parseIpAddress('255.255.255.255')?.toString('hex'), '00000000000000000000ffffffffffff');
});

test('every way to write an IPv6 address gives the same 16 bytes', () => {
  const group = fc.integer({ min: 0, max: 0xffff });
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), fc.nat(8), fc.nat(8), (groups, a, b) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const zeroed = groups.map((value, index) => (index >= from && index < to ? 0 : value));
      const hex = zeroed.map((value) => value.toString(16));
      const bytes = Buffer.from(zeroed.map((value) => value.toString(16).padStart(4, '0')).join(''), 'hex');
      assert.deepEqual(parseIpAddress(hex.join(':')), bytes);
      if (to > from) {
        const short = `${hex.slice(0, from).join(':')}::${hex.slice(to).join(':')}`;
        assert.deepEqual(parseIpAddress(short), bytes, short);
      }
      const tail = [...bytes.subarray(12)].join('.');
      assert.deepEqual(parseIpAddress(`${hex.slice(0, 6).join(':')}:${tail}`), bytes);
    }),
  );
});

test('the short forms with dots are read as well', () => {
  assert.deepEqual(parseIpAddress('::ffff:203.0.113.7'), parseIpAddress('203.0.113.7'));
  assert.equal(parseIpAddress('::1.2.3.4')?.toString('hex'), '00000000000000000000000001020304');
  assert.equal(parseIpAddress('64:ff9b::1.2.3.4')?.toString('hex'), '0064ff9b000000000000000001020304');
  assert.equal(parseIpAddress('::')?.toString('hex'), '0'.repeat(32));
});

test('text that is no address is refused', () => {
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4:80',
    'fe80::1%eth0',
    ':::',
    '1::2::3',
    'localhost',
  ]) {
    assert.equal(parseIpAddress(text), undefined, text);
  }
});

test('text after an address is a port up to 65,535, or it is no address with a port', () => {
  for (const [text, address] of [
    ['192.0.2.1:65535', '192.0.2.1'],
    ['192.0.2.1:65536', undefined],
    ['[2001:db8::1]:65535', '2001:db8::1'],
    ['[2001:db8::1]:65536', undefined],
    ['[192.0.2.1]:80', undefined],
  ] as const) {
    assert.equal(addressBeforePort(text), address, text);
  }
});

test('a masked address names a /24 or a /48, as the store writes them', () => {
  for (const [address, masked] of [
    ['203.0.113.7', '203.0.113.0/24'],
    ['2001:db8:7:1::9', '2001:db8:7::/48'],
    ['2001:db8::9', '2001:db8::/48'],
    ['2001:0:5:1::9', '2001:0:5::/48'],
    ['::1', '::/48'],
  ] as const) {
    assert.equal(maskIpAddress(parseIpAddress(address) ?? assert.fail(address)), masked);
  }
});
