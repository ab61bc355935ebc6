/*
 * The collector on a disk that fails, with Kafka away, so that a 202 rests on the disk alone. While a fault lasts
 * nothing is answered 202 that is not on the disk, refusals say when to come back, and the end of the fault is
 * noticed without anybody's help. At the end every answer is held against the store.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isClean } from '../chaos/check-accounting.js';
import { settleAndCheck, startChaosPipeline } from '../chaos/chaos-pipeline.js';
import type { PipelineWithBroker } from '../pipeline/pipeline.js';
import { type Fault, injectSyncFault, injectWriteFault, limitFileSize } from '../chaos/inject-fault.js';
import { TrackedSender } from '../chaos/tracked-sender.js';

const REFUSALS = 40;
let pipeline: PipelineWithBroker;
let sender: TrackedSender;

before(async () => {
  pipeline = await startChaosPipeline();
  sender = new TrackedSender({
    url: pipeline.collectorUrl,
    token: pipeline.credentials.writeToken,
    name: 'faults',
    seed: 31,
    // Each sends every 1.5 s, so that while some wait for a slow disk others come.
    keyedClients: 30,
    plainClients: 30,
    recordsPerRequest: 25,
    recordsPerSecond: 1_000,
    whenRefused: 'give_up',
  });
  await sender.acknowledgedMore(500);
  await pipeline.broker.kill();
  await sender.acknowledgedMore(500);
});

after(() => pipeline.end());

/** A fault comes, requests are refused, the fault goes, requests are taken: all without a restart. */
async function refusedUntilItEnds(inject: (pid: number) => Promise<Fault>): Promise<void> {
  const fault = await inject(pipeline.process('collector').pid);
  try {
    const refusedAtFirst = sender.refusals;
    const refusedMore = (): boolean => sender.refusals >= refusedAtFirst + REFUSALS;
    await sender.until(refusedMore, `${REFUSALS} requests are refused with 503`);
    // What was on its way when the fault came has been answered: from here on nothing can be acknowledged.
    const acknowledged = sender.acknowledgedRecords;
    const refusedSoFar = sender.refusals;
    await sender.until(
      () => sender.refusals >= refusedSoFar + REFUSALS,
      `${REFUSALS} more requests are refused`,
    );
    assert.equal(
      sender.acknowledgedRecords,
      acknowledged,
      'records were answered 202 while none could be kept',
    );
  } finally {
    await fault.end();
  }
  await sender.acknowledgedMore(500);
  assert.equal(sender.refusalsWithoutRetryAfter, 0);
}

// Far enough for the log of the process: a line of it that cannot be written is another matter.
const FILE_BYTES_MAX = 200_000;

test('files that cannot grow: 503 with Retry-After, no 202, and on by itself once they can', () =>
  refusedUntilItEnds((pid) => limitFileSize(pid, FILE_BYTES_MAX)));

test('no space left on the disk: 503 with Retry-After, no 202, and on by itself once there is', () =>
  refusedUntilItEnds(injectWriteFault));

test('fsync that fails: 503 with Retry-After, no 202, and on by itself once it works', () =>
  refusedUntilItEnds((pid) => injectSyncFault(pid, { error: 'EIO' })));

test('fsync that takes 5 s: 503 with Retry-After for whoever would wait, and on by itself once it is fast', async () => {
  const fault = await injectSyncFault(pipeline.process('collector').pid, { lateS: 5 });
  const refusedAtFirst = sender.refusals;
  try {
    await sender.until(
      () => sender.refusals >= refusedAtFirst + REFUSALS,
      `${REFUSALS} requests are refused`,
    );
  } finally {
    await fault.end();
  }
  await sender.acknowledgedMore(500);
  assert.equal(sender.refusalsWithoutRetryAfter, 0);
});

test('everything answered 202 is stored once, nothing answered 503 is stored, and the books agree', async () => {
  await pipeline.broker.restart();
  await sender.acknowledgedMore(500);
  const findings = await settleAndCheck(pipeline, { senders: [sender], say: () => undefined });
  assert.ok(
    sender.fates.refused.size > (8 * REFUSALS) / 2,
    `${sender.fates.refused.size} requests were refused`,
  );
  assert.deepEqual(findings.details, []);
  assert.ok(isClean(findings), JSON.stringify(findings));
});
