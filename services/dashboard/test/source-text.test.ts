import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Window } from '@imscope/schemas/query-api/answers.js';
import { sourceWords } from '../src/words/source-text.js';

const NOW = Date.UTC(2026, 10, 23, 13, 0);
const window = (given: Partial<Window>): Window => ({
  from: '2026-11-23T12:00:00.000Z',
  to: '2026-11-23T13:00:00.000Z',
  step: null,
  source: 'logs',
  metrics: null,
  logged_share: 0.25,
  ...given,
});
const METRICS = { from: '2026-11-23T12:01:00.000Z', to: '2026-11-23T12:57:00.000Z' };
const wordsFor = (given: Partial<Window>) => sourceWords(window(given), NOW, 'UTC') ?? '';

test('nothing is said where nothing was sampled, or nothing is known of it', () => {
  assert.equal(sourceWords(window({ logged_share: 1 }), NOW), null);
  assert.equal(sourceWords(window({ logged_share: null }), NOW), null);
});

test('where successes were sampled it is said which figures are exact all the same', () => {
  assert.match(wordsFor({}), /^Sampled: 25.% of the requests .* are estimates from the logs\.$/);
  assert.match(wordsFor({ source: 'metrics', metrics: METRICS }), /count every request\.$/);
  assert.match(wordsFor({ source: 'both', metrics: METRICS }), /from 12:01 to 12:57; the rest is estimated/);
});
