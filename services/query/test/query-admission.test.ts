import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { createQueryAdmission } from '../src/store/query-admission.js';

const BOUNDS = { runningMax: 2, waitingMax: 1, waitMsMax: 60_000 };

/** Work that lasts until the test ends it. */
function heldWork() {
  const ends: (() => void)[] = [];
  const started: number[] = [];
  const work = (name: number) => () =>
    new Promise<number>((resolve) => {
      started.push(name);
      ends.push(() => resolve(name));
    });
  return { work, started, endOldest: () => ends.shift()?.() };
}

test('admits as many as are allowed, then the others in the order of arrival', async () => {
  const { work, started, endOldest } = heldWork();
  const admission = createQueryAdmission({ ...BOUNDS, waitingMax: 3 }, () => undefined);
  const all = Promise.all([1, 2, 3, 4].map((name) => admission.run(work(name))));
  await setImmediate();
  assert.deepEqual([started, admission.inFlight(), admission.waiting()], [[1, 2], 2, 2]);
  for (let ended = 0; ended < 4; ended++) {
    endOldest();
    await setImmediate();
  }
  assert.deepEqual(await all, [1, 2, 3, 4]);
  assert.deepEqual([started, admission.inFlight(), admission.waiting()], [[1, 2, 3, 4], 0, 0]);
});

test('refuses at once when the queue is full, and reports it', async () => {
  const { work, endOldest } = heldWork();
  const refused: string[] = [];
  const admission = createQueryAdmission(BOUNDS, (reason) => refused.push(reason));
  const inside = [1, 2, 3].map((name) => admission.run(work(name)));
  await assert.rejects(admission.run(work(4)), { code: 'unavailable', retryAfterS: 1 });
  assert.deepEqual(refused, ['queue_full']);
  for (let ended = 0; ended < 3; ended++) {
    endOldest();
    await setImmediate();
  }
  await Promise.all(inside);
});

test('refuses work that waited too long, and the next in the queue still runs', async () => {
  const { work, endOldest } = heldWork();
  const refused: string[] = [];
  const admission = createQueryAdmission({ runningMax: 1, waitingMax: 2, waitMsMax: 10 }, (reason) =>
    refused.push(reason),
  );
  const first = admission.run(work(1));
  await assert.rejects(admission.run(work(2)), { code: 'unavailable' });
  assert.deepEqual([refused, admission.waiting()], [['queue_wait'], 0]);
  endOldest();
  assert.equal(await first, 1);
  assert.equal(admission.inFlight(), 0);
});

test('an abandoned wait leaves the queue; work that fails frees its slot', async () => {
  const { work, endOldest } = heldWork();
  const admission = createQueryAdmission({ ...BOUNDS, runningMax: 1 }, () => undefined);
  const first = admission.run(work(1));
  const leaving = new AbortController();
  const second = admission.run(work(2), leaving.signal);
  leaving.abort();
  await assert.rejects(second, { code: 'unavailable' });
  assert.equal(admission.waiting(), 0);
  const failing = admission.run(() => Promise.reject(new Error('broken')));
  endOldest();
  await first;
  await assert.rejects(failing, /broken/);
  assert.equal(admission.inFlight(), 0);
});
