import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { HttpError } from '@imscope/runtime/http-errors.js';
import fc from 'fast-check';
import { Gate, type GateBounds, type Lease } from '../src/gate.js';

const BOUNDS: GateBounds = {
  capacity: 100,
  callerMax: 50,
  waitingMax: 8,
  callerWaitingMax: 4,
  waitMsMax: 60_000,
};
const gateOf = (bounds: Partial<GateBounds> = {}): Gate =>
  new Gate({ ...BOUNDS, ...bounds }, (reason) => new HttpError('unavailable', reason));

/** Enters, and writes down in which order leases were given. */
function entering(gate: Gate) {
  const entered: string[] = [];
  const leases = new Map<string, Lease>();
  const hold = async (cost: number, caller: string, name: string): Promise<void> => {
    const lease = await gate.enter(cost, caller);
    entered.push(name);
    leases.set(name, lease);
  };
  const enter = (cost: number, caller: string, name: string): void => void hold(cost, caller, name);
  return { enter, entered, release: (name: string) => leases.get(name)?.release() };
}

test('one caller holds at most its part, and another enters beside it', async () => {
  const gate = gateOf();
  const { enter, entered, release } = entering(gate);
  enter(30, 'a', 'a1');
  enter(30, 'a', 'a2');
  enter(50, 'b', 'b1');
  await setImmediate();
  assert.deepEqual([entered, gate.held, gate.waiting], [['a1', 'b1'], 80, 1]);
  release('a1');
  await setImmediate();
  assert.deepEqual([entered, gate.held, gate.waiting], [['a1', 'b1', 'a2'], 80, 0]);
});

test('callers take turns, whoever came with more requests', async () => {
  const gate = gateOf({ capacity: 10, callerMax: 10 });
  const { enter, entered, release } = entering(gate);
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

test('a large request that is next holds back small ones behind it, and gets its turn', async () => {
  const gate = gateOf({ callerMax: 100 });
  const { enter, entered, release } = entering(gate);
  enter(60, 'a', 'a1');
  enter(90, 'b', 'b1');
  enter(10, 'c', 'c1');
  await setImmediate();
  assert.deepEqual(entered, ['a1']);
  release('a1');
  await setImmediate();
  assert.deepEqual(entered, ['a1', 'b1', 'c1']);
});

test('a lease that shrinks lets others in, and what is released twice counts once', async () => {
  const gate = gateOf();
  const lease = await gate.enter(50, 'a');
  const waiting = gate.enter(40, 'a');
  lease.shrinkTo(10);
  const second = await waiting;
  assert.equal(gate.held, 50);
  lease.shrinkTo(40);
  assert.equal(gate.held, 50);
  lease.release();
  lease.release();
  second.release();
  assert.equal(gate.held, 0);
});

test('a request larger than the part of its caller enters alone', async () => {
  const gate = gateOf();
  const lease = await gate.enter(90, 'a');
  assert.equal(gate.held, 90);
  lease.release();
});

test('lines are bounded, of one caller and of all', async () => {
  const gate = gateOf({ capacity: 10, callerMax: 10, waitingMax: 5, callerWaitingMax: 3 });
  const { enter, release } = entering(gate);
  enter(10, 'a', 'a1');
  for (const name of ['a2', 'a3', 'a4']) enter(10, 'a', name);
  await assert.rejects(gate.enter(10, 'a'), { code: 'unavailable', message: 'full' });
  enter(10, 'b', 'b1');
  enter(10, 'c', 'c1');
  await assert.rejects(gate.enter(10, 'd'), { code: 'unavailable', message: 'full' });
  assert.equal(gate.waiting, 5);
  for (const name of ['a1', 'a2', 'b1', 'c1', 'a3', 'a4']) {
    await setImmediate();
    release(name);
  }
  assert.deepEqual([gate.held, gate.waiting], [0, 0]);
});

test('who waits too long or leaves makes room for those behind', async () => {
  const gate = gateOf({ callerMax: 100, waitMsMax: 20 });
  const first = await gate.enter(60, 'a');
  const large = gate.enter(90, 'b');
  const small = gate.enter(10, 'c');
  await assert.rejects(large, { code: 'unavailable', message: 'wait' });
  (await small).release();
  const leaving = new AbortController();
  const left = gate.enter(90, 'b', leaving.signal);
  leaving.abort();
  await assert.rejects(left, { code: 'unavailable' });
  first.release();
  assert.deepEqual([gate.held, gate.waiting], [0, 0]);
});

test('whatever comes and goes, no more is held than there is, and all is given back', async () => {
  const step = fc.record({
    cost: fc.integer({ min: 1, max: 100 }),
    caller: fc.constantFrom('a', 'b', 'c'),
    releases: fc.nat({ max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const gate = gateOf();
      const leases: Lease[] = [];
      for (const { cost, caller, releases } of steps) {
        gate.enter(cost, caller).then(
          (lease) => leases.push(lease),
          () => undefined,
        );
        await setImmediate();
        assert.ok(gate.held <= BOUNDS.capacity && gate.waiting <= BOUNDS.waitingMax);
        for (let count = 0; count < releases; count++) leases.shift()?.release();
      }
      while (gate.held > 0) {
        leases.shift()?.release();
        await setImmediate();
      }
      assert.equal(gate.waiting, 0);
    }),
    { numRuns: 100 },
  );
});
