import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Window } from '@imscope/schemas/query-api/envelope.js';
import { sourceText } from '../src/words/source-text.js';

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
const textFor = (given: Partial<Window>) => sourceText(window(given), NOW, 'UTC') ?? '';

test('there is no text where nothing was sampled, or sampling is not known', () => {
  assert.equal(sourceText(window({ logged_share: 1 }), NOW), null);
  assert.equal(sourceText(window({ logged_share: null }), NOW), null);
});

test('where successes were sampled the text says which figures are exact', () => {
  assert.match(textFor({}), /^Sampled: 25.% of the requests .* are estimates from the logs\.$/);
  assert.match(textFor({ source: 'metrics', metrics: METRICS }), /count every request\.$/);
  assert.match(textFor({ source: 'both', metrics: METRICS }), /from 12:01 to 12:57; the rest is estimated/);
});
