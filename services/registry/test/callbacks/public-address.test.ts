import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAddressCheck } from '../../src/callbacks/public-address.js';
import { INSIDE_ADDRESSES, PUBLIC_ADDRESSES } from './inside-addresses.js';

test('no special-purpose address is allowed', () => {
  assert.ok(INSIDE_ADDRESSES.length >= 40);
  const isAllowed = createAddressCheck();
  assert.deepEqual(INSIDE_ADDRESSES.filter(isAllowed), []);
});

test('public addresses are allowed, also those beside special ranges', () => {
  assert.deepEqual(PUBLIC_ADDRESSES.filter(createAddressCheck()), PUBLIC_ADDRESSES);
});

test('ranges of the deployment’s own network are denied on top', () => {
  const isAllowed = createAddressCheck(['8.8.8.0/24', '2606:4700::/32']);
  assert.deepEqual(['8.8.8.8', '8.8.9.8', '2606:4700::1', '2606:4701::1'].filter(isAllowed), [
    '8.8.9.8',
    '2606:4701::1',
  ]);
});
