/*
 * A collector with a failing disk while Kafka is down, so that a 202 depends on the disk alone. During a fault the
 * collector answers 202 only for records on the disk, refusals carry Retry-After, and the collector recovers without
 * a restart. At the end all answers are compared with the store.
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
    // Each client sends every 1.5 s, so that new requests arrive while others wait for a slow disk.
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

/** Requests are refused during the fault and accepted after it, without a restart. */
async function refusedUntilItEnds(inject: (pid: number) => Promise<Fault>): Promise<void> {
  const fault = await inject(pipeline.process('collector').pid);
  try {
    const refusedAtFirst = sender.refusals;
    const refusedMore = (): boolean => sender.refusals >= refusedAtFirst + REFUSALS;
    await sender.until(refusedMore, `${REFUSALS} requests are refused with 503`);
    // Requests that were in flight when the fault began are answered: from here on nothing can be acknowledged.
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

test('while files cannot grow requests get 503 with Retry-After; recovery needs no restart', () =>
  refusedUntilItEnds((pid) => limitFileSize(pid, FILE_BYTES_MAX)));

test('while the disk is full requests get 503 with Retry-After; recovery needs no restart', () =>
  refusedUntilItEnds(injectWriteFault));

test('while fsync fails requests get 503 with Retry-After; recovery needs no restart', () =>
  refusedUntilItEnds((pid) => injectSyncFault(pid, { error: 'EIO' })));

test('while fsync lasts 5 s excess requests get 503 with Retry-After; recovery needs no restart', async () => {
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

test('every record answered 202 is stored once, none answered 503 is stored, and the accounting agrees', async () => {
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
