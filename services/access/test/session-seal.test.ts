import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSessionSeal } from '../src/session-seal.js';

const NOW = 1_800_000_000_000;
const KEY = 'a key of thirty-two characters or more';
const claim = { tokenHash: 'ab'.repeat(32), expiresMs: NOW + 1_000 };

test('a sealed session opens with its key until it expires', () => {
  const sealed = createSessionSeal(KEY).seal(claim);
  assert.deepEqual(createSessionSeal(KEY).open(sealed, NOW), claim);
  assert.equal(createSessionSeal(KEY).open(sealed, NOW + 1_000), undefined);
});

test('a session with another key, another claim or another form does not open', () => {
  const seal = createSessionSeal(KEY);
  const sealed = seal.seal(claim);
  const forged = [
    createSessionSeal('').seal(claim),
    sealed.replace('abab', 'baba'),
    sealed.replace(String(claim.expiresMs), String(claim.expiresMs + 1)),
    sealed.slice(0, -1),
    `${sealed}A`,
    '',
  ];
  for (const text of forged) assert.equal(seal.open(text, NOW), undefined, text);
});

test('a session key that is too short is refused', () => {
  assert.throws(() => createSessionSeal('short'), /SESSION_KEY has 5 characters: give 32 or more/);
});
