import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSignInCodes, SIGN_IN_CODE_TERM_MS } from '../src/access/sign-in-codes.js';
import { createFailureGuard } from '@imscope/access/failure-guard.js';

const NOW = 1_800_000_000_000;

test('a sign-in code works once and not after ten minutes', () => {
  const codes = createSignInCodes(10);
  const { code, expiresMs } = codes.issue('hash', NOW);
  assert.equal(expiresMs, NOW + SIGN_IN_CODE_TERM_MS);
  assert.equal(codes.redeem(code, NOW + SIGN_IN_CODE_TERM_MS - 1), 'hash');
  assert.equal(codes.redeem(code, NOW), undefined);
  const late = codes.issue('hash', NOW);
  assert.equal(codes.redeem(late.code, late.expiresMs), undefined);
});

test('at the bound the oldest sign-in code stops working', () => {
  const codes = createSignInCodes(2);
  const [first, second, third] = ['a', 'b', 'c'].map((hash) => codes.issue(hash, NOW).code);
  assert.equal(codes.redeem(first ?? '', NOW), undefined);
  assert.equal(codes.redeem(second ?? '', NOW), 'b');
  assert.equal(codes.redeem(third ?? '', NOW), 'c');
});

test('an address that guessed wrong ten times waits for the rest of the minute', () => {
  const guard = createFailureGuard(10, 'sign-ins failed');
  for (let guess = 0; guess < 10; guess++) {
    guard.check('192.0.2.1', NOW + guess);
    guard.failed('192.0.2.1', NOW + guess);
  }
  assert.throws(() => guard.check('192.0.2.1', NOW + 10_000), { code: 'too_many_requests', retryAfterS: 50 });
  guard.check('192.0.2.2', NOW + 10_000);
  guard.check('192.0.2.1', NOW + 60_000);
});

test('at the bound the address that failed longest ago is forgotten', () => {
  const guard = createFailureGuard(1, 'sign-ins failed');
  for (let guess = 0; guess < 10; guess++) guard.failed('192.0.2.1', NOW);
  guard.failed('192.0.2.2', NOW);
  guard.check('192.0.2.1', NOW);
});
