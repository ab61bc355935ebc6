import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differencesOf, patchOf } from '../src/registry-api/differences.js';

const BEFORE = {
  details: { name: 'Chat', tags: ['a'] },
  settings: { quota: null, codes: { 1: 'success', 2: 'unknown' } },
  fields: [{ name: 'one' }, { name: 'two' }],
};
const AFTER = {
  details: { name: 'Chat!', tags: ['a', 'b'] },
  settings: { quota: 5, codes: { 1: 'success' } },
  fields: [{ name: 'one' }, { name: 'other' }],
};

test('differences are named by pointers, in order', () => {
  assert.deepEqual(differencesOf(BEFORE, AFTER), [
    { path: '/details/name', before: 'Chat', after: 'Chat!' },
    { path: '/details/tags', before: ['a'], after: ['a', 'b'] },
    { path: '/settings/quota', before: null, after: 5 },
    { path: '/settings/codes/2', before: 'unknown' },
    { path: '/fields/1/name', before: 'two', after: 'other' },
  ]);
  assert.deepEqual(differencesOf(BEFORE, BEFORE), []);
});

test('a patch holds what changed: lists as a whole, null for what is removed', () => {
  assert.deepEqual(patchOf(BEFORE, AFTER), {
    details: { name: 'Chat!', tags: ['a', 'b'] },
    settings: { quota: 5, codes: { 2: null } },
    fields: [{ name: 'one' }, { name: 'other' }],
  });
  assert.equal(patchOf(BEFORE, structuredClone(BEFORE)), undefined);
});
