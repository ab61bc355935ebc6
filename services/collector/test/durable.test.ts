import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { BatchOutcome } from '../src/batches/batch.js';
import { durable } from '../src/requests/accept-request.js';

/** What a request is answered whose batches end so; undefined where it is accepted. */
async function answer(outcomes: readonly BatchOutcome[], key?: string) {
  const batches = outcomes.map((outcome) => ({ settled: Promise.resolve(outcome) }));
  try {
    await durable(new Set(batches), key);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof HttpError);
    return { code: error.code, isRetryAfterGiven: error.retryAfterS !== undefined };
  }
}

test('Retry-After is set where a retry is safe: no record was accepted, or the request has a key', async () => {
  assert.equal(await answer(['durable', 'durable']), undefined);
  assert.deepEqual(await answer(['not_taken']), { code: 'unavailable', isRetryAfterGiven: true });
  assert.deepEqual(await answer(['durable', 'in_doubt']), { code: 'timeout', isRetryAfterGiven: false });
  assert.deepEqual(await answer(['durable', 'not_taken']), { code: 'timeout', isRetryAfterGiven: false });
  assert.deepEqual(await answer(['in_doubt'], 'key'), { code: 'timeout', isRetryAfterGiven: true });
});
