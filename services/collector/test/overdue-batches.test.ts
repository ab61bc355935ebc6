import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_TERMS, HOUR_MS } from '@imscope/schemas/retention.js';
import type { EdgeAccount } from '@imscope/schemas/edge-account.js';
import { edgeTermsByTopic, isOverdue } from '../src/incarnations/expired-batch.js';
import type { BatchHead } from '../src/spool/batch-entry.js';
import {
  batcherOf,
  type IncarnationWorld,
  createWorld,
  image,
  LANES,
  newIncarnation,
  recoverIn,
} from './killed-incarnation.js';
import { storedRecord } from './sample-record.js';

const NOW = 1_800_000_000_000;
const TERMS = edgeTermsByTopic(DEFAULT_TERMS);

function head(topic: BatchHead['topic'], ages: { loggedMs: number; eventMs: number }): BatchHead {
  const time = NOW - ages.eventMs;
  return {
    topic,
    id: { boot: 'boot000000000001', partition: 0, sequence: 0 },
    records: 1,
    times: { least: time, greatest: time },
    loggedMs: NOW - ages.loggedMs,
  };
}

test('a batch is overdue once it waited as long as its topic allows, to the millisecond', () => {
  for (const [topic, hours] of [
    ['im.request-log', 24],
    ['im.interface-metric', 12],
    ['im.edge-account', 24],
  ] as const) {
    const waited = hours * HOUR_MS;
    assert.equal(isOverdue(head(topic, { loggedMs: waited, eventMs: waited }), TERMS, NOW), false, topic);
    assert.equal(isOverdue(head(topic, { loggedMs: waited + 1, eventMs: waited }), TERMS, NOW), true, topic);
  }
});

test('recovered metrics of events older than lateness and wait are overdue, however recently they were logged', () => {
  const age = 13 * HOUR_MS;
  assert.equal(isOverdue(head('im.interface-metric', { loggedMs: 0, eventMs: age }), TERMS, NOW), false);
  assert.equal(isOverdue(head('im.interface-metric', { loggedMs: 0, eventMs: age + 1 }), TERMS, NOW), true);
});

test('the wait of request logs follows EDGE_WAIT_HOURS', () => {
  const short = edgeTermsByTopic({ ...DEFAULT_TERMS, edgeWaitHours: 1 });
  const waited = head('im.request-log', { loggedMs: HOUR_MS + 1, eventMs: 0 });
  assert.equal(isOverdue(waited, short, NOW), true);
  assert.equal(isOverdue(waited, TERMS, NOW), false);
});

/** A boot that has logged one event of five minutes ago, with its Kafka away. */
async function bootWithEvent(world: IncarnationWorld): Promise<void> {
  const incarnation = newIncarnation(world);
  const batcher = batcherOf(incarnation, world);
  batcher.append(storedRecord({ time: Date.now() - 300_000 }), Date.now());
  const batch = batcher.next(LANES.lanes[0] ?? assert.fail(), true) ?? assert.fail();
  incarnation.append(batch, { synced: true, target: () => ({ partition: 0 }), onDone: () => undefined });
  await incarnation.log.idle();
  incarnation.log.abandon();
}

test('a batch that is overdue at a start is not sent: an empty one with its id says how many records it had', async () => {
  const world = await createWorld();
  world.kafka.fails = () => 'before';
  await bootWithEvent(world);
  const later = await image(world);
  // As if the start came so much later that the metrics, not the logs, are beyond their term.
  const terms = { ...TERMS, 'im.interface-metric': { lateMs: 60_000, waitMs: 60_000 } };
  const incarnation = await recoverIn({ ...later, options: { ...later.options, terms } });
  assert.equal(await incarnation?.log.finish(Number.POSITIVE_INFINITY), 0);
  const logs = later.kafka.distinct('im.request-log');
  assert.deepEqual(
    logs.map(({ records, expired }) => [records.length, expired]),
    [[1, 0]],
  );
  const metrics = later.kafka.distinct('im.interface-metric');
  assert.deepEqual(
    metrics.map(({ records, expired }) => [records.length, expired]),
    [[0, 1]],
  );
  const accounts = later.kafka.distinct('im.edge-account').flatMap(({ records }) => records as EdgeAccount[]);
  const sent = accounts.at(-1)?.partitions.find(({ topic }) => topic === 'im.interface-metric');
  assert.equal(sent?.records, 1);
  later.remove();
  world.remove();
});
