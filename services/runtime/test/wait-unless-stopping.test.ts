import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUnlessStopping } from '../src/wait-unless-stopping.js';

test('a wait lasts its time', async () => {
  const startMs = performance.now();
  await waitUnlessStopping(20, new AbortController().signal);
  assert.ok(performance.now() - startMs >= 19);
});

test('a wait ends without an error when the stop begins', async () => {
  const stopping = new AbortController();
  const waiting = waitUnlessStopping(3_600_000, stopping.signal);
  stopping.abort();
  await waiting;
});

test('a wait that begins after the stop ends at once', async () => {
  await waitUnlessStopping(3_600_000, AbortSignal.abort());
});
