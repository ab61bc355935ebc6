import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNetworkIds } from '../src/network/network-ids.js';
import { prefixText } from '../src/network/prefix-text.js';

const IPV4 = 2 ** 48 + 0xcb0071;
const IPV6 = 0x2001_0db8_0007;

test('an id gives back its prefix until it expires, and names nothing', () => {
  const ids = createNetworkIds('a key');
  for (const key of [IPV4, IPV6, 0]) {
    const id = ids.seal(key, 10_000);
    assert.match(id, /^[\w-]{56}$/);
    assert.equal(ids.open(id, 9_999), key);
    assert.throws(() => ids.open(id, 10_000), { code: 'expired_network_id' });
  }
});

test('the same prefix and end have the same id with the same key, and another with another', () => {
  const id = createNetworkIds('a key').seal(IPV4, 10_000);
  assert.equal(createNetworkIds('a key').seal(IPV4, 10_000), id);
  assert.notEqual(createNetworkIds('a key').seal(IPV6, 10_000), id);
  assert.notEqual(createNetworkIds('a key').seal(IPV4, 10_001), id);
  assert.throws(() => createNetworkIds('another key').open(id, 0), { code: 'invalid_network_id' });
  assert.throws(() => createNetworkIds('').open(id, 0), { code: 'invalid_network_id' });
});

test('an id of which any bit is altered is refused', () => {
  const ids = createNetworkIds('a key');
  const bytes = Buffer.from(ids.seal(IPV4, 10_000), 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const altered = Buffer.from(bytes);
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => ids.open(altered.toString('base64url'), 0), { code: 'invalid_network_id' });
  }
  for (const text of ['', 'x', 'A'.repeat(56), bytes.subarray(1).toString('base64url')]) {
    assert.throws(() => ids.open(text, 0), { code: 'invalid_network_id' });
  }
});

test('a key is the text of its prefix', () => {
  assert.deepEqual([IPV4, IPV6].map(prefixText), ['203.0.113.0/24', '2001:db8:7::/48']);
});
