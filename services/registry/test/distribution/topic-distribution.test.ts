/* From the registry's rows through the compacted topic of a real Kafka into the copy that collectors and agents have. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { hashToken } from '@imscope/access/tokens.js';
import { createTopicSource } from '@imscope/access/topic-source.js';
import { createKafka } from '@imscope/runtime/kafka-client.js';
import { readTopicConfig } from '@imscope/runtime/topic-terms.js';
import { DELETED_ENTRY_KEPT_MS, ENTRY_TOPIC } from '@imscope/schemas/registry-entry.js';
import { testBroker } from '@imscope/scripts/stack/test-broker.js';
import type { Admin, Kafka } from 'kafkajs';
import { findUndistributed } from '../../src/distribution/find-undistributed.js';
import { createTopicSink } from '../../src/distribution/topic-sink.js';
import {
  applicationEntry,
  type DistributionUnderTest,
  isValid,
  logger,
  openDistribution,
  tokenEntry,
  until,
} from './distribution-under-test.js';

const ONE = 'gateway-one-0123456789';
const TWO = 'gateway-two-0123456789';
let kafka: Kafka;
let admin: Admin;
let prefix: string;
let distribution: DistributionUnderTest;

before(async () => {
  const settings = { kafkaBrokers: [testBroker()], kafkaTopicPrefix: '', kafkaTls: false } as const;
  const sasl = { kafkaSaslMechanism: 'none', kafkaSaslUsername: '', kafkaSaslPassword: '' } as const;
  kafka = createKafka({ ...settings, ...sasl }, 'topic-distribution-test', logger);
  admin = kafka.admin();
  await admin.connect();
});
beforeEach(async () => {
  prefix = `test-${randomBytes(6).toString('hex')}.`;
  distribution = await openDistribution();
});
afterEach(async () => {
  await distribution.close();
  await removeTopic();
});
after(() => admin.disconnect());

const source = () => createTopicSource({ kafka, prefix, brokers: testBroker() });
const sink = () => createTopicSink({ kafka, prefix, replicationFactor: 1 });

async function removeTopic(): Promise<void> {
  const topic = prefix + ENTRY_TOPIC;
  if ((await admin.listTopics()).includes(topic)) await admin.deleteTopics({ topics: [topic] });
}

test('what is created, changed and deleted reaches a receiver through a compacted topic of one partition', async () => {
  await distribution.write([tokenEntry(ONE), applicationEntry(7)]);
  const publisher = distribution.publish([sink()]);
  const receiver = await distribution.receive(source());
  await until(() => receiver.state().known && isValid(receiver, ONE), 'the first publication');
  await distribution.write(
    [tokenEntry(TWO), applicationEntry(7, { status: 'suspended' })],
    [`token/${hashToken(ONE)}`],
  );
  publisher.wake();
  await until(() => !isValid(receiver, ONE), 'the change');
  assert.equal(isValid(receiver, TWO), true);
  assert.equal(receiver.applicationSettings(7).status, 'suspended');
  const config = await readTopicConfig(admin, prefix + ENTRY_TOPIC);
  assert.equal(config?.own.get('cleanup.policy'), 'compact');
  const { topics } = await admin.fetchTopicMetadata({ topics: [prefix + ENTRY_TOPIC] });
  assert.equal(topics[0]?.partitions.length, 1);
});

test('a topic that was deleted and created again is published and read again, and what is known stays in force', async () => {
  await distribution.write([tokenEntry(ONE), tokenEntry(TWO)]);
  const publisher = distribution.publish([sink()]);
  const receiver = await distribution.receive(source());
  await until(() => receiver.state().connected, 'the first publication');
  await publisher.stop();
  await removeTopic();
  await until(() => !receiver.state().connected, 'the loss is noticed');
  assert.equal(isValid(receiver, ONE), true);
  await distribution.write([], [`token/${hashToken(ONE)}`]);
  distribution.publish([sink()]);
  await until(() => !isValid(receiver, ONE), 'the revocation');
  assert.equal(isValid(receiver, TWO), true);
});

test('a start reads the topic from its beginning, and no token that was revoked is valid on the way', async () => {
  const publisher = distribution.publish([sink()]);
  for (let n = 0; n < 20; n++) {
    await distribution.write([tokenEntry(ONE), tokenEntry(TWO)]);
    publisher.wake();
    await until(() => isPublished(2 * (n + 1)), 'the publication');
  }
  await distribution.write([], [`token/${hashToken(ONE)}`]);
  publisher.wake();
  await until(() => isPublished(41), 'the deletion');
  const receiver = await distribution.receive(source(), 'cache');
  await until(() => receiver.state().known, 'the end of the topic');
  assert.deepEqual([isValid(receiver, ONE), isValid(receiver, TWO)], [false, true]);
  await receiver.stop();
  const again = await distribution.receive(source(), 'cache');
  let wasValid = false;
  await until(() => {
    wasValid ||= isValid(again, ONE);
    return again.state().connected;
  }, 'the topic is read again');
  assert.equal(wasValid, false);
});

test('keys deleted a day ago become tombstones, and the publication goes on', async () => {
  let nowMs = Date.parse('2030-01-01T00:00:00Z');
  await distribution.write([tokenEntry(ONE), tokenEntry(TWO)]);
  await distribution.write([], [`token/${hashToken(ONE)}`]);
  const first = distribution.publish([sink()], () => nowMs);
  await until(() => first.state()[0]?.lag === 0, 'the first publication');
  await first.stop();
  nowMs += DELETED_ENTRY_KEPT_MS;
  const second = distribution.publish([sink()], () => nowMs);
  await until(async () => (await positionOf('topic')).includes('"forgotten":3'), 'the tombstone');
  const receiver = await distribution.receive(source());
  await until(() => receiver.state().known, 'the topic is read');
  assert.deepEqual([isValid(receiver, ONE), isValid(receiver, TWO)], [false, true]);
  await distribution.write([tokenEntry(ONE)]);
  second.wake();
  await until(() => isValid(receiver, ONE), 'the key is created again');
  assert.equal(second.state()[0]?.republished, 0);
});

async function isPublished(revision: number): Promise<boolean> {
  return (await findUndistributed(distribution.database.kysely, ['topic'], revision)) === undefined;
}

async function positionOf(sinkName: string): Promise<string> {
  const row = await distribution.database.kysely
    .selectFrom('distribution_position')
    .select('detail')
    .where('sink', '=', sinkName)
    .executeTakeFirst();
  return row?.detail ?? '';
}
