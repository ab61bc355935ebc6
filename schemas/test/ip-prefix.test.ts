import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpPrefix, storedAddressText } from '../src/ip-prefix.js';

const rangeOf = (text: string) => {
  const range = parseIpPrefix(text);
  return range && [storedAddressText(range.low), storedAddressText(range.high)];
};

test('a prefix is the range of its addresses, whatever bits are set after it', () => {
  assert.deepEqual(rangeOf('203.0.113.77/24'), ['::ffff:203.0.113.0', '::ffff:203.0.113.255']);
  assert.deepEqual(rangeOf('203.0.113.77/32'), ['::ffff:203.0.113.77', '::ffff:203.0.113.77']);
  assert.deepEqual(rangeOf('203.0.113.77/22'), ['::ffff:203.0.112.0', '::ffff:203.0.115.255']);
  assert.deepEqual(rangeOf('0.0.0.0/0'), ['::ffff:0.0.0.0', '::ffff:255.255.255.255']);
  assert.deepEqual(rangeOf('2001:db8:7:1::1/48'), [
    '2001:db8:7:0:0:0:0:0',
    '2001:db8:7:ffff:ffff:ffff:ffff:ffff',
  ]);
  assert.deepEqual(rangeOf('::/0'), ['0:0:0:0:0:0:0:0', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']);
});

test('a text that is no prefix has no range', () => {
  for (const text of [
    '',
    '203.0.113.0',
    '203.0.113.0/33',
    '203.0.113.0/024',
    '::/129',
    '1.2.3/8',
    'a/8',
    '::1%eth0/64',
  ]) {
    assert.equal(rangeOf(text), undefined, text);
  }
});
