/* Offsets that hold no message, with the real broker: transactions of others, and deleted records. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { observeFetches } from '@imscope/runtime/kafkajs/fetch-holes.js';
import type { Difference } from '../src/reconcile/difference.js';
import { storeAsk } from '../src/store/store-ask.js';
import { offsetDifferences, readOffsetSegments } from '../src/reconcile/offsets.js';
import { type AggregatorUnderTest, openAggregator, until } from './aggregator-under-test.js';
import { openTransactions, type Transactions } from './transactions.js';

let aggregator: AggregatorUnderTest;
let transactions: Transactions;
let rows = 0;
let sequence = 0;
let epoch = 0;

before(async () => {
  aggregator = await openAggregator();
  transactions = openTransactions(aggregator.environment['KAFKA_BROKERS'] ?? '');
});
after(async () => {
  await transactions.close();
  await aggregator.end();
});

/** Batches of ours. */
async function append(batches = 1): Promise<void> {
  const sequences = Array.from({ length: batches }, () => sequence++);
  rows += await aggregator.append('boot0001', sequences);
}

async function logEnd(): Promise<number> {
  const [partition] = await aggregator.admin.fetchTopicOffsets(aggregator.topic);
  return Number(partition?.high);
}

async function deadMessages(): Promise<number> {
  const [found] = await aggregator.select<{ dead: number }>(
    `SELECT sum(dead_messages) AS dead FROM block_ledger FINAL WHERE topic = '${aggregator.topic}'`,
  );
  return found?.dead ?? 0;
}

/** What `imscope ledger check` says of offsets. */
async function differences(): Promise<Difference[]> {
  const prefix = aggregator.environment['KAFKA_TOPIC_PREFIX'] ?? '';
  const ask = storeAsk(aggregator.store);
  return offsetDifferences(
    await readOffsetSegments({ ask, topicPrefix: prefix, fromMs: 0, nowMs: Date.now(), settleMs: 0 }),
  );
}

async function newTopic(): Promise<void> {
  await aggregator.recreateTopic();
  epoch += 1;
}

async function untilDead(count: number): Promise<void> {
  await until(
    async () => (await deadMessages()) === count,
    async () => `${await deadMessages()} dead messages recorded, expected ${count}`,
  );
}

test('commits and aborts between batches: batches are stored, committed messages are dead letters, aborted ones are holes', async () => {
  await append(2);
  await transactions.run(aggregator.topic, 'abort', 'a', 'b', 'c');
  await append();
  await transactions.run(aggregator.topic, 'commit', 'd', 'e');
  await append();
  const member = await aggregator.start();
  await aggregator.untilStored(rows);
  await untilDead(2);
  assert.ok((await member.metric('imscope_aggregator_offset_holes_total')) >= 5);
  assert.deepEqual(await differences(), []);
  await member.stop();
});

test('a marker is the first offset after a restart, several follow each other, and the log ends with one', async () => {
  for (let round = 0; round < 3; round++) {
    await transactions.run(aggregator.topic, 'abort', 'a');
    await transactions.run(aggregator.topic, 'abort', 'b', 'c');
    const member = await aggregator.start();
    await append();
    await transactions.run(aggregator.topic, 'abort', 'd');
    await aggregator.untilStored(rows);
    await until(async () => (await member.metric('imscope_aggregator_consumer_lag_messages')) === 0, 'lag');
    assert.deepEqual(member.failing(), {});
    assert.equal(await member.metric('imscope_aggregator_refetches_total'), 0);
    await member.stop();
  }
  assert.equal(await deadMessages(), 2);
  assert.deepEqual(await differences(), []);
});

test('transactions that overlap and end in another order than they began leave no message of the aborted ones', async () => {
  const [first, second, third] = await Promise.all([
    transactions.begin(aggregator.topic),
    transactions.begin(aggregator.topic),
    transactions.begin(aggregator.topic),
  ]);
  await first.send('a1');
  await second.send('b1');
  await append();
  await third.send('c1');
  await first.send('a2');
  await second.send('b2');
  await second.abort();
  await append();
  await third.commit();
  await first.abort();
  await append();
  const member = await aggregator.start();
  await aggregator.untilStored(rows);
  await untilDead(3);
  assert.deepEqual(await differences(), []);
  await member.stop();
});

test('an open transaction is named, holds back later messages, and causes no restart', async () => {
  const member = await aggregator.start({ STALL_TIMEOUT_MS: '10000' });
  await append();
  await aggregator.untilStored(rows);
  const transaction = await transactions.begin(aggregator.topic);
  await transaction.send('open');
  await append();
  const name = `progress of ${aggregator.topic}:0`;
  await until(async () => name in member.failing(), 'the partition is not named');
  assert.match(member.failing()[name] ?? '', /an open transaction holds back \d+ offsets/);
  assert.ok((await member.metric('imscope_aggregator_stalled_seconds')) > 0);
  // The process under test throws where it would end for its supervisor, at 10 s.
  const stalledFor = async (): Promise<number> => member.metric('imscope_aggregator_stalled_seconds');
  await until(async () => (await stalledFor()) > 11, 'the metric does not grow');
  await transaction.abort();
  await aggregator.untilStored(rows);
  await until(async () => !(name in member.failing()), 'the partition is still named');
  assert.equal(await deadMessages(), 3);
  await member.stop();
});

test('a log of nothing but holes is read in some fetches, and the partition is ready', async () => {
  await newTopic();
  for (let round = 0; round < 5; round++) await transactions.run(aggregator.topic, 'abort', 'a', 'b');
  let fetches = 0;
  const end = await logEnd();
  const endObserving = observeFetches(({ topic }) => {
    if (topic === aggregator.topic) fetches += 1;
  }, Date.now);
  const member = await aggregator.start({ STALL_TIMEOUT_MS: '10000' });
  await until(async () => (await member.metric('imscope_aggregator_offset_holes_total')) >= end, 'not read');
  const [before, beganMs] = [fetches, performance.now()];
  await until(async () => fetches - before >= 12, 'it does not fetch any more');
  // An idle partition is asked for four times a second.
  assert.ok(performance.now() - beganMs > 2_000, `12 fetches in ${performance.now() - beganMs} ms`);
  assert.deepEqual(member.failing(), {});
  endObserving();
  await append();
  await aggregator.untilStored(rows);
  await member.stop();
});

test('messages that are deleted before they are read are a loss of as many offsets, and holes beside them are not', async () => {
  assert.deepEqual(await differences(), []);
  await transactions.run(aggregator.topic, 'abort', 'before');
  const start = await logEnd();
  await append(3);
  rows -= 30;
  const deletedTo = await logEnd();
  await transactions.run(aggregator.topic, 'abort', 'after');
  await append();
  await aggregator.admin.deleteTopicRecords({
    topic: aggregator.topic,
    partitions: [{ partition: 0, offset: String(deletedTo) }],
  });
  const member = await aggregator.start();
  await aggregator.untilStored(rows);
  const [loss, ...others] = await differences();
  assert.deepEqual([loss?.kind, loss?.epoch, others], ['unread_messages', epoch, []]);
  // Offsets of the aborted transaction before them can no longer be distinguished from messages.
  const lost = (loss?.expected ?? 0) - (loss?.found ?? 0);
  assert.ok(lost >= deletedTo - start && lost <= deletedTo - start + 2, `${lost} offsets are lost`);
  assert.equal(await member.metric('imscope_aggregator_offset_gaps_total'), 1);
  await append();
  await aggregator.untilStored(rows);
  await member.stop();
});

test('holes that were read after the last block and are deleted later are no loss for the next owner', async () => {
  await newTopic();
  await append();
  const member = await aggregator.start();
  await aggregator.untilStored(rows);
  const before = await differences();
  await transactions.run(aggregator.topic, 'abort', 'a', 'b');
  // The broker answers the end of a transaction before it appends the control record.
  let end = 0;
  const group = `${aggregator.environment['KAFKA_TOPIC_PREFIX'] ?? ''}imscope-aggregator`;
  await until(async () => {
    end = await logEnd();
    const [committed] = await aggregator.admin.fetchOffsets({ groupId: group, topics: [aggregator.topic] });
    return committed?.partitions[0]?.metadata?.endsWith(`/${end}`) ?? false;
  }, 'the holes are not committed');
  await member.stop();
  await aggregator.admin.deleteTopicRecords({
    topic: aggregator.topic,
    partitions: [{ partition: 0, offset: String(end) }],
  });
  await append();
  const next = await aggregator.start();
  await aggregator.untilStored(rows);
  assert.equal(await next.metric('imscope_aggregator_offset_gaps_total'), 0);
  assert.deepEqual(await differences(), before);
  await next.stop();
});
