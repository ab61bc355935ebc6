import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SIGN_IN_FRAGMENT as API_SIGN_IN_FRAGMENT } from '@imscope/schemas/query-api/session.js';
import { SIGN_IN_FRAGMENT, signInCodeOf } from '../src/api/sign-in-code.js';

test('the fragment has the query API’s name', () => {
  assert.equal(SIGN_IN_FRAGMENT, API_SIGN_IN_FRAGMENT);
});

test('only a code that is not empty is read', () => {
  assert.equal(signInCodeOf('#sign-in=abcdefgh12345678'), 'abcdefgh12345678');
  assert.equal(signInCodeOf('#sign-in='), null);
  assert.equal(signInCodeOf('#requests'), null);
  assert.equal(signInCodeOf(''), null);
});
