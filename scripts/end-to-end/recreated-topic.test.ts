/*
 * The request logs' topic is deleted and created again while the pipeline runs. The aggregator detects it while it runs
 * or at its next start, whether the new log is shorter or longer than the old one, and stores all new messages.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Admin } from 'kafkajs';
import { untilRecorded } from '../pipeline/caught-up.js';
import { checkAccounting, isClean } from '../chaos/check-accounting.js';
import { KillTarget } from '../chaos/kill-targets.js';
import { fatesTogether, TrackedSender } from '../chaos/tracked-sender.js';
import { type Pipeline, startPipeline } from '../pipeline/pipeline.js';
import { openKafka } from '../stack/kafka-client.js';

const RECORDS_PER_REQUEST = 40;
let pipeline: Pipeline;
let admin: Admin;
let topic: string;
const senders: TrackedSender[] = [];

before(async () => {
  pipeline = await startPipeline({ aggregator: { MARKER_AGE_MS: '100' } });
  topic = pipeline.kafka.topicPrefix + TOPICS.requestLog.name;
  admin = openKafka(pipeline.kafka.broker).admin();
  await admin.connect();
});

after(async () => {
  await admin.disconnect();
  await pipeline.end();
});

function startSender(name: string): TrackedSender {
  const sender = new TrackedSender({
    url: pipeline.collectorUrl,
    token: pipeline.credentials.writeToken,
    name,
    seed: senders.length,
    keyedClients: 4,
    plainClients: 0,
    recordsPerRequest: RECORDS_PER_REQUEST,
    recordsPerSecond: 4_000,
    whenRefused: 'send_again',
  });
  senders.push(sender);
  return sender;
}

/** Sends at least this many records, all acknowledged, until every partition of the topic has some. */
async function send(name: string, records: number): Promise<void> {
  const sender = startSender(name);
  await sender.acknowledgedMore(records);
  await untilAllPartitionsHold(sender);
  await sender.finish();
}

/** On a fast machine few records become so few messages that a partition may have none. */
async function untilAllPartitionsHold(sender: TrackedSender): Promise<void> {
  for (let rounds = 0; (await emptyPartitions()) > 0; rounds++) {
    assert.ok(rounds < 100, 'partitions stay empty');
    await sender.acknowledgedMore(RECORDS_PER_REQUEST);
  }
}

async function emptyPartitions(): Promise<number> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.filter(({ low, high }) => low === high).length;
}

/**
 * Waits until the records are stored and in the ledger under this epoch of the topic. Rows are visible before their
 * ledger row, and a row of an earlier, longer epoch could be mistaken for one of this epoch: so each partition is
 * awaited.
 */
async function untilAllStored(epoch: number): Promise<void> {
  const acknowledged = senders.reduce((sum, sender) => sum + sender.acknowledgedRecords, 0);
  await pipeline.untilStored(acknowledged, 30_000);
  const deadline = performance.now() + 30_000;
  while ((await epochs()).some((recorded) => recorded < epoch) && performance.now() < deadline)
    await sleep(100);
  await untilRecorded(pipeline.kafka, pipeline.select, 30_000);
}

async function deleteTopic(): Promise<void> {
  await admin.deleteTopics({ topics: [topic] });
  while ((await admin.listTopics()).includes(topic)) await sleep(50);
}

async function createTopic(): Promise<void> {
  await pipeline.prepare();
}

/** Epochs in the ledger, by partition. */
async function epochs(): Promise<number[]> {
  const rows = await pipeline.select<{ epoch: number }>(
    `SELECT max(epoch) AS epoch FROM block_ledger WHERE topic = '${topic}' GROUP BY partition ORDER BY partition`,
  );
  return rows.map(({ epoch }) => epoch);
}

const FEW = 2_000;
const MANY = 6_000;

test('a topic created again, shorter, while the aggregator is down: no new message is skipped', async () => {
  await send('first', MANY);
  await untilAllStored(0);
  await pipeline.stop('aggregator');
  await deleteTopic();
  await createTopic();
  await send('shorter', FEW);
  await pipeline.start('aggregator');
  await untilAllStored(1);
  assert.deepEqual(await epochs(), [1, 1, 1, 1]);
});

test('a topic created again, longer, while the aggregator is down: no new message is skipped', async () => {
  await pipeline.stop('aggregator');
  await deleteTopic();
  await createTopic();
  await send('longer', MANY);
  await pipeline.start('aggregator');
  await untilAllStored(2);
  assert.deepEqual(await epochs(), [2, 2, 2, 2]);
});

test('a topic created again while the aggregator runs and gateways send: no record acknowledged since is skipped', async () => {
  // It is started again if it exits, as a supervisor does in production.
  const aggregator = await KillTarget.watch({
    name: 'aggregator',
    process: () => pipeline.process('aggregator'),
    start: () => pipeline.start('aggregator'),
    say: () => undefined,
  });
  try {
    await deleteTopic();
    const sender = startSender('running');
    await sleep(500);
    await createTopic();
    await sender.acknowledgedMore(FEW);
    await untilAllPartitionsHold(sender);
    await sender.finish();
    await untilAllStored(3);
  } finally {
    await aggregator.end();
  }
  assert.deepEqual(await epochs(), [3, 3, 3, 3]);
});

test('at the end the accounting agrees: acknowledged records are stored once, from whichever epoch', async () => {
  if (pipeline.process('collector').isRunning()) await pipeline.stop('collector');
  await pipeline.start('aggregator');
  await untilAllStored(3);
  const findings = await checkAccounting(pipeline, fatesTogether(senders));
  assert.deepEqual(findings.details, []);
  assert.ok(isClean(findings), JSON.stringify(findings));
});
