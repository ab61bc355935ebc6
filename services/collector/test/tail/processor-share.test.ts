import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessorShare } from '../../src/tail/processor-share.js';

/** A process that does nothing but read stretches, each of which takes so much of the processor. */
class Machine {
  now = 5_000;
  used = 700;
  readonly share: ProcessorShare;

  constructor(cores: number) {
    this.share = new ProcessorShare(cores, { nowMs: () => this.now, usedMs: () => this.used });
  }

  work(processorMs: number, elapsedMs = processorMs): void {
    this.used += processorMs;
    this.now += elapsedMs;
  }

  readStretch(processorMs: number): void {
    this.now += this.share.waitMs();
    this.work(processorMs);
  }
}

test('over time no more than the share is used, whatever one read takes', () => {
  for (const cores of [0.1, 0.4, 0.9]) {
    for (const stretchMs of [1, 10, 90]) {
      const machine = new Machine(cores);
      const { now, used } = machine;
      while (machine.now < now + 60_000) machine.readStretch(stretchMs);
      const share = (machine.used - used) / (machine.now - now);
      assert.ok(Math.abs(share - cores) < 0.01, `${share} of ${cores}`);
    }
  }
});

test('without a bound no read waits', () => {
  const machine = new Machine(Number.POSITIVE_INFINITY);
  for (let stretch = 0; stretch < 100; stretch++) {
    assert.equal(machine.share.waitMs(), 0);
    machine.work(50, 10);
  }
});

test('after an idle time one second of the share may be used at once, not all that was left', () => {
  const machine = new Machine(0.5);
  machine.work(0, 3_600_000);
  const { used } = machine;
  while (machine.share.waitMs() === 0) machine.work(10);
  assert.ok(machine.used - used >= 500 && machine.used - used < 1_100, `${machine.used - used} ms`);
});

test('other work of the process counts too, yet no read waits longer than a second', () => {
  const machine = new Machine(0.5);
  machine.work(400, 400);
  assert.equal(machine.share.waitMs(), 400);
  machine.work(30_000, 10_000);
  assert.equal(machine.share.waitMs(), 1_000);
});
