import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { HttpError } from '@imscope/runtime/http-errors.js';
import fc from 'fast-check';
import { Admission, type AdmissionBounds, type Lease } from '../src/store/admission.js';

const BOUNDS: AdmissionBounds = {
  capacity: 100,
  callerMax: 50,
  waitingMax: 8,
  callerWaitingMax: 4,
  waitMsMax: 60_000,
};
const admissionOf = (bounds: Partial<AdmissionBounds> = {}): Admission =>
  new Admission({ ...BOUNDS, ...bounds }, (reason) => new HttpError('unavailable', reason));

/** Enters, and records the order in which leases were given. */
function entering(admission: Admission) {
  const entered: string[] = [];
  const leases = new Map<string, Lease>();
  const hold = async (cost: number, caller: string, name: string): Promise<void> => {
    const lease = await admission.enter(cost, caller);
    entered.push(name);
    leases.set(name, lease);
  };
  const enter = (cost: number, caller: string, name: string): void => void hold(cost, caller, name);
  return { enter, entered, release: (name: string) => leases.get(name)?.release() };
}

test('one caller holds at most its part, and another enters beside it', async () => {
  const admission = admissionOf();
  const { enter, entered, release } = entering(admission);
  enter(30, 'a', 'a1');
  enter(30, 'a', 'a2');
  enter(50, 'b', 'b1');
  await setImmediate();
  assert.deepEqual([entered, admission.held, admission.waiting], [['a1', 'b1'], 80, 1]);
  release('a1');
  await setImmediate();
  assert.deepEqual([entered, admission.held, admission.waiting], [['a1', 'b1', 'a2'], 80, 0]);
});

test('callers are served in rotation, however many requests each has', async () => {
  const admission = admissionOf({ capacity: 10, callerMax: 10 });
  const { enter, entered, release } = entering(admission);
  for (const name of ['a1', 'a2', 'a3', 'a4']) enter(10, 'a', name);
  enter(10, 'b', 'b1');
  enter(10, 'c', 'c1');
  for (const name of ['a1', 'a2', 'b1', 'c1', 'a3']) {
    await setImmediate();
    assert.equal(entered.at(-1), name);
    release(name);
  }
  await setImmediate();
  assert.deepEqual(entered, ['a1', 'a2', 'b1', 'c1', 'a3', 'a4']);
});

test('a large request that is next blocks small ones after it, and is served', async () => {
  const admission = admissionOf({ callerMax: 100 });
  const { enter, entered, release } = entering(admission);
  enter(60, 'a', 'a1');
  enter(90, 'b', 'b1');
  enter(10, 'c', 'c1');
  await setImmediate();
  assert.deepEqual(entered, ['a1']);
  release('a1');
  await setImmediate();
  assert.deepEqual(entered, ['a1', 'b1', 'c1']);
});

test('a lease that shrinks admits others, and a second release changes nothing', async () => {
  const admission = admissionOf();
  const lease = await admission.enter(50, 'a');
  const waiting = admission.enter(40, 'a');
  lease.shrinkTo(10);
  const second = await waiting;
  assert.equal(admission.held, 50);
  lease.shrinkTo(40);
  assert.equal(admission.held, 50);
  lease.release();
  lease.release();
  second.release();
  assert.equal(admission.held, 0);
});

test('a request larger than the part of its caller enters alone', async () => {
  const admission = admissionOf();
  const lease = await admission.enter(90, 'a');
  assert.equal(admission.held, 90);
  lease.release();
});

test('queues are bounded, of one caller and of all', async () => {
  const admission = admissionOf({ capacity: 10, callerMax: 10, waitingMax: 5, callerWaitingMax: 3 });
  const { enter, release } = entering(admission);
  enter(10, 'a', 'a1');
  for (const name of ['a2', 'a3', 'a4']) enter(10, 'a', name);
  await assert.rejects(admission.enter(10, 'a'), { code: 'unavailable', message: 'caller_full' });
  enter(10, 'b', 'b1');
  enter(10, 'c', 'c1');
  await assert.rejects(admission.enter(10, 'd'), { code: 'unavailable', message: 'full' });
  assert.equal(admission.waiting, 5);
  for (const name of ['a1', 'a2', 'b1', 'c1', 'a3', 'a4']) {
    await setImmediate();
    release(name);
  }
  assert.deepEqual([admission.held, admission.waiting], [0, 0]);
});

test('a request that waits too long or is abandoned frees its place for later ones', async () => {
  const admission = admissionOf({ callerMax: 100, waitMsMax: 20 });
  const first = await admission.enter(60, 'a');
  const large = admission.enter(90, 'b');
  const small = admission.enter(10, 'c');
  await assert.rejects(large, { code: 'unavailable', message: 'wait' });
  (await small).release();
  const leaving = new AbortController();
  const left = admission.enter(90, 'b', leaving.signal);
  leaving.abort();
  await assert.rejects(left, { code: 'unavailable' });
  first.release();
  assert.deepEqual([admission.held, admission.waiting], [0, 0]);
});

test('for any sequence of requests the capacity is never exceeded, and all of it is released', async () => {
  const step = fc.record({
    cost: fc.integer({ min: 1, max: 100 }),
    caller: fc.constantFrom('a', 'b', 'c'),
    releases: fc.nat({ max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const admission = admissionOf();
      const leases: Lease[] = [];
      for (const { cost, caller, releases } of steps) {
        admission.enter(cost, caller).then(
          (lease) => leases.push(lease),
          () => undefined,
        );
        await setImmediate();
        assert.ok(admission.held <= BOUNDS.capacity && admission.waiting <= BOUNDS.waitingMax);
        for (let count = 0; count < releases; count++) leases.shift()?.release();
      }
      while (admission.held > 0) {
        leases.shift()?.release();
        await setImmediate();
      }
      assert.equal(admission.waiting, 0);
    }),
    { numRuns: 100 },
  );
});
