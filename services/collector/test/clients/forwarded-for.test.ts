import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { forwardedFor } from '../../src/clients/forwarded-for.js';
import { canonicalIp, maskIp } from '../../src/clients/ip-text.js';

const PROXY = '10.0.0.1';

test('without trusted hops the header is ignored', () => {
  assert.equal(forwardedFor(PROXY, '203.0.113.7', 0), PROXY);
});

test('with n hops the n-th entry from the right is the client', () => {
  const header = 'garbage, 198.51.100.1,203.0.113.7 , 192.0.2.9';
  assert.equal(forwardedFor(PROXY, header, 1), '192.0.2.9');
  assert.equal(forwardedFor(PROXY, header, 2), '203.0.113.7');
  assert.equal(forwardedFor(PROXY, header, 3), '198.51.100.1');
});

test('too few or malformed entries leave the last address that was read', () => {
  assert.equal(forwardedFor(PROXY, undefined, 2), PROXY);
  assert.equal(forwardedFor(PROXY, '', 2), PROXY);
  assert.equal(forwardedFor(PROXY, '203.0.113.7', 3), '203.0.113.7');
  assert.equal(forwardedFor(PROXY, '203.0.113.7, unknown', 2), PROXY);
  assert.equal(forwardedFor(PROXY, '198.51.100.1, unknown, 203.0.113.7', 3), '203.0.113.7');
  for (const bad of [
    'unknown',
    '_hidden',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '[1.2.3.4]',
    '[::1',
    '::1]',
    ',',
    ' ',
    'x'.repeat(9_000),
  ])
    assert.equal(forwardedFor(PROXY, bad, 1), PROXY, bad);
});

test('entries may carry ports and brackets, and each address has one spelling', () => {
  const spellings: readonly [string, string][] = [
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:51234', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['[::ffff:cb00:7107]:443', '203.0.113.7'],
    ['2001:DB8:0:0:0:0:0:7', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['[2001:db8::7]:443', '2001:db8::7'],
  ];
  for (const [entry, address] of spellings) assert.equal(forwardedFor(PROXY, entry, 1), address, entry);
  assert.equal(canonicalIp('fe80::1%eth0'), 'fe80::1');
});

test('entries that a client wrote itself are never used, because proxies append', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), fc.ipV4(), fc.ipV4(), (forged, client, proxy) => {
      assert.equal(forwardedFor(PROXY, `${forged}, ${client}`, 1), client);
      assert.equal(forwardedFor(PROXY, `${forged}, ${client}, ${proxy}`, 2), client);
    }),
    { seed: 20_261_125, numRuns: 2_000 },
  );
});

test('logs show networks, not addresses', () => {
  assert.equal(maskIp('203.0.113.7'), '203.0.113.0/24');
  assert.equal(maskIp('2001:db8:7::8'), '2001:db8:7::/48');
  assert.equal(maskIp('no address'), 'unknown');
});
