import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FairQueue } from '../../src/limits/fair-queue.js';

const KIB = 1 << 10;

/** Who was served with how much, in order, when all come at once. */
async function serve(requests: readonly (readonly [sender: string, bytes: number])[]) {
  const queue = new FairQueue();
  const served: [sender: string, bytes: number][] = [];
  await Promise.all(
    requests.map(([sender, bytes]) => queue.run(sender, bytes, () => served.push([sender, bytes]))),
  );
  assert.equal(queue.size, 0);
  return served;
}

test('a request after a hundred requests of another sender waits for few of them', async () => {
  const noisy = Array.from({ length: 100 }, () => ['noisy', 150 * KIB] as const);
  const served = await serve([...noisy, ['quiet', 150 * KIB]]);
  const place = served.findIndex(([sender]) => sender === 'quiet');
  assert(place <= 3, String(place));
});

test('senders share by bytes, not by requests', async () => {
  const large = Array.from({ length: 20 }, () => ['large', 400 * KIB] as const);
  const small = Array.from({ length: 800 }, () => ['small', 10 * KIB] as const);
  const served = await serve([...large, ...small]);
  const half = served.slice(0, served.length / 2);
  const bytesOf = (name: string) =>
    half.reduce((sum, [sender, bytes]) => sum + (sender === name ? bytes : 0), 0);
  const ratio = bytesOf('large') / bytesOf('small');
  assert(ratio > 0.8 && ratio < 1.25, String(ratio));
});

test('every job runs once, in order within its sender', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 300 * KIB })), {
        maxLength: 60,
      }),
      async (requests) => {
        const served = await serve(requests);
        for (const name of ['a', 'b', 'c']) {
          assert.deepEqual(
            served.filter(([sender]) => sender === name),
            requests.filter(([sender]) => sender === name),
          );
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('an error of a job rejects its promise, and the next job runs', async () => {
  const queue = new FairQueue();
  const failing = queue.run('a', 1, () => {
    throw new Error('unreadable');
  });
  const next = queue.run('a', 1, () => 'done');
  await assert.rejects(failing, /unreadable/);
  assert.equal(await next, 'done');
});
