import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { createQueryAdmission } from '../src/store/query-admission.js';
import { askFor } from '../src/store/store-caller.js';

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

test('a caller with many queries leaves a slot to the others, and its turn comes after theirs', async () => {
  const { work, started, endOldest } = heldWork();
  const admission = createQueryAdmission(
    { runningMax: 4, waitingMax: 20, waitMsMax: 60_000 },
    () => undefined,
  );
  const run = (caller: string, name: number): Promise<number> =>
    askFor(caller, () => admission.run(work(name)));
  const greedy = [1, 2, 3, 4, 5, 6].map((name) => run('greedy', name));
  await setImmediate();
  assert.deepEqual([started, admission.waiting()], [[1, 2, 3], 3]);
  const others = [run('b', 101), run('c', 102), run('d', 103)];
  await setImmediate();
  assert.deepEqual(started, [1, 2, 3, 101]);
  for (let ended = 0; ended < 9; ended++) {
    endOldest();
    await setImmediate();
  }
  await Promise.all([...greedy, ...others]);
  assert.deepEqual(started, [1, 2, 3, 101, 4, 102, 103, 5, 6]);
});

test('queries of one caller are refused when its queue is full, and those of another are not', async () => {
  const { work, endOldest } = heldWork();
  const admission = createQueryAdmission(
    { runningMax: 1, waitingMax: 4, waitMsMax: 60_000 },
    () => undefined,
  );
  const inside = [1, 2, 3, 4].map((name) => askFor('greedy', () => admission.run(work(name))));
  await assert.rejects(
    askFor('greedy', () => admission.run(work(5))),
    { code: 'unavailable', message: /^3 of your queries wait for the store, and no more of one caller may:/ },
  );
  inside.push(askFor('other', () => admission.run(work(6))));
  for (let ended = 0; ended < 5; ended++) {
    await setImmediate();
    endOldest();
  }
  assert.deepEqual(await Promise.all(inside), [1, 2, 3, 4, 6]);
});

test('a query counts for its caller, however many calls below the request it is', async () => {
  const { work, started, endOldest } = heldWork();
  const admission = createQueryAdmission(
    { runningMax: 4, waitingMax: 8, waitMsMax: 60_000 },
    () => undefined,
  );
  const deep = async (name: number): Promise<number> => {
    await setImmediate();
    return admission.run(work(name));
  };
  const all = [1, 2, 3, 4].map((name) => askFor('a', () => deep(name)));
  all.push(askFor('b', () => deep(5)));
  await setImmediate();
  await setImmediate();
  assert.deepEqual(started, [1, 2, 3, 5]);
  for (let ended = 0; ended < 5; ended++) {
    endOldest();
    await setImmediate();
  }
  await Promise.all(all);
});
