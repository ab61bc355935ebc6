import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { after, before, test } from 'node:test';
import { createKafka, KAFKA_SETTINGS } from '@imscope/runtime/kafka-client.js';
import { loadConfig } from '@imscope/runtime/config.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { CompressionTypes } from 'kafkajs';
import { readMessage } from '../../src/blocks/block-cutter.js';
import { readAllLetters } from '../../src/dlq/choose-letters.js';
import type { DeadLetter } from '../../src/dlq/dead-letter-entry.js';
import { REQUEST_LOG_STREAM } from '../../src/blocks/streams.js';
import { type AggregatorUnderTest, openAggregator } from '../aggregator-under-test.js';
import { batchMessage } from '../log-of-messages.js';
import { hostileAccount, poisonMessages } from './poison-messages.js';

const NOW = Date.now();
const TIMES = { least: NOW, greatest: NOW };
/** A bomb inflates to 800 MB; what is allowed of one is 64 MiB, held twice while it is put together. */
const MEMORY_GROWTH_MAX = 450_000_000;

let aggregator: AggregatorUnderTest;
let rows = 0;

before(async () => {
  aggregator = await openAggregator();
});
after(async () => aggregator.end());

async function lettersOf(topic: string): Promise<DeadLetter[]> {
  const loaded = loadConfig(KAFKA_SETTINGS, aggregator.environment);
  assert.ok(loaded.ok);
  const kafka = createKafka(loaded.config, 'poison-test', createLogger('poison-test', 'silent'));
  const letters: DeadLetter[] = [];
  await readAllLetters({ kafka, topicPrefix: loaded.config.kafkaTopicPrefix }, (letter) => {
    if (letter.origin?.topic === topic) letters.push(letter);
  });
  return letters.toSorted((a, b) => (a.origin?.offset ?? 0) - (b.origin?.offset ?? 0));
}

test('each kind of poison goes to the dead letters unchanged, and every neighbour is stored', async () => {
  const poison = poisonMessages(NOW);
  const memoryBefore = process.memoryUsage().rss;
  const member = await aggregator.start();
  for (const [index, { value, headers }] of poison.entries()) {
    const neighbour = batchMessage({ boot: 'good0000', sequence: index, records: 10 }, 0, TIMES);
    for (const message of [{ value, headers }, neighbour]) {
      const messages = [{ partition: 0, ...message }];
      await aggregator.producer.send({
        topic: aggregator.topic,
        acks: -1,
        compression: CompressionTypes.None,
        messages,
      });
    }
    rows += 10;
  }
  await aggregator.untilStored(rows);
  await member.stop();
  const letters = await lettersOf(aggregator.topic);
  const heads = letters.map(({ reason, origin }) => [origin?.partition, reason]);
  assert.deepEqual(
    heads,
    poison.map(({ reason }) => [0, reason]),
  );
  for (const [index, { title, value, headers }] of poison.entries()) {
    const letter = letters[index];
    assert.ok(letter !== undefined, title);
    assert.ok(
      value === null ? letter.value === null : letter.value?.equals(value) === true,
      `${title}: other bytes`,
    );
    const kept = Object.entries(letter.headers).map(([name, text]) => [name, String(text)]);
    assert.deepEqual(Object.fromEntries(kept), headers, title);
  }
  const [recorded] = await aggregator.select<{ dead: number }>(
    `SELECT sum(dead_messages) AS dead FROM block_ledger FINAL WHERE topic = '${aggregator.topic}'`,
  );
  assert.equal(recorded?.dead, poison.length);
  const growth = process.resourceUsage().maxRSS * 1_024 - memoryBefore;
  assert.ok(growth < MEMORY_GROWTH_MAX, `memory grew by ${growth} bytes`);
});

test('a bomb and every fault of the outer form is found before the store gets it', () => {
  const decoded = new Set(['bad_packing', 'bad_record', 'bad_time']);
  for (const { title, reason, value, headers } of poisonMessages(NOW)) {
    const message = { offset: 0, appendedMs: NOW, value, headers };
    const read = readMessage(message, REQUEST_LOG_STREAM.schemas);
    if (read.kind === 'data') assert.ok(decoded.has(reason), title);
    else assert.deepEqual(read, { kind: 'dead', reason }, title);
  }
});

test('poison in another topic is found by decoding once the store refuses it', async () => {
  const topic = aggregator.topic.replace(TOPICS.requestLog.name, TOPICS.edgeAccount.name);
  const { value, headers, reason } = hostileAccount(NOW);
  await aggregator.producer.send({ topic, acks: -1, messages: [{ partition: 0, value, headers }] });
  const member = await aggregator.start();
  let letters: DeadLetter[] = [];
  while (letters.length === 0) letters = await lettersOf(topic);
  await member.stop();
  assert.deepEqual(
    letters.map((letter) => letter.reason),
    [reason],
  );
});

test('a flood of poison is written in batches that the broker accepts, each letter once and in order', async () => {
  const headers = { 'a-long-header': 'x'.repeat(10_000) };
  const before = (await lettersOf(aggregator.topic)).length;
  for (let sent = 0; sent < 400; sent += 50) {
    const messages = Array.from({ length: 50 }, (_, index) => ({
      partition: 0,
      value: `poison ${sent + index}`,
      headers,
    }));
    await aggregator.producer.send({ topic: aggregator.topic, acks: -1, messages });
  }
  const neighbour = batchMessage({ boot: 'good0002', sequence: 0, records: 10 }, 0, TIMES);
  await aggregator.producer.send({
    topic: aggregator.topic,
    acks: -1,
    messages: [{ partition: 0, ...neighbour }],
  });
  rows += 10;
  const member = await aggregator.start();
  await aggregator.untilStored(rows);
  await member.stop();
  const values = (await lettersOf(aggregator.topic)).slice(before).map(({ value }) => String(value));
  assert.deepEqual(
    values,
    Array.from({ length: 400 }, (_, index) => `poison ${index}`),
  );
});

test('the broker unpacks what a producer packed, so no codec stops a partition', async () => {
  const message = batchMessage({ boot: 'good0001', sequence: 0, records: 10 }, 0, TIMES);
  const gzip = { topic: aggregator.topic, acks: -1, compression: CompressionTypes.GZIP };
  await aggregator.producer.send({ ...gzip, messages: [{ partition: 0, ...message }] });
  rows += 10;
  const member = await aggregator.start();
  await aggregator.untilStored(rows);
  await member.stop();
  // 100 MB of zeros, 100 kB packed.
  assert.ok(gzipSync(Buffer.alloc(1e8)).length < 1 << 20);
  const bomb = [{ partition: 0, value: Buffer.alloc(1e8) }];
  await assert.rejects(aggregator.producer.send({ ...gzip, messages: bomb }), /larger than the max/);
});
