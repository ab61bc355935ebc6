import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AskError } from '@imscope/schemas/query-api/ask.js';
import { type AskResult, type HeldAnswer, holdAnswer, NOTHING_HELD } from '../src/api/held-answer.js';

type Answer = { readonly data: string };
const failure = new AskError('timed_out', 'no answer', { status: 0, received: '' });
const result = (given: Partial<AskResult<Answer>>): AskResult<Answer> => ({
  data: undefined,
  dataUpdatedAt: 0,
  error: null,
  failureReason: null,
  ...given,
});
const first: HeldAnswer<Answer> = holdAnswer(
  NOTHING_HELD,
  'a',
  result({ data: { data: '1' }, dataUpdatedAt: 5 }),
);

test('an answer is held with its question and its time', () => {
  assert.deepEqual(first, { answer: { data: '1' }, askedBy: 'a', receivedAtMs: 5, error: null });
});

test('the answer stays while another window is asked about, and while that fails', () => {
  const waiting = holdAnswer(first, 'b', result({}));
  assert.equal(waiting, first);
  const failed = holdAnswer(waiting, 'b', result({ error: failure }));
  assert.deepEqual(failed, { ...first, error: failure });
});

test('a failure that is retried is shown with the data there is', () => {
  const retried = holdAnswer(first, 'a', result({ data: first.answer ?? undefined, failureReason: failure }));
  assert.deepEqual(retried, { ...first, error: failure });
});

test('a failure stays until the next answer', () => {
  const failed = holdAnswer(first, 'a', result({ data: first.answer ?? undefined, error: failure }));
  const askedAgain = holdAnswer(failed, 'a', result({ data: first.answer ?? undefined }));
  assert.equal(askedAgain.error, failure);
  const answered = holdAnswer(askedAgain, 'a', result({ data: { data: '2' }, dataUpdatedAt: 9 }));
  assert.deepEqual(answered, { answer: { data: '2' }, askedBy: 'a', receivedAtMs: 9, error: null });
});

test('an unchanged state is the same object', () => {
  assert.equal(holdAnswer(first, 'a', result({ data: first.answer ?? undefined })), first);
});
