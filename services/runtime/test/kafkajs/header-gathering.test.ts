import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Admin, IHeaders, Kafka, Producer } from 'kafkajs';
import { loadConfig } from '../../src/config.js';
import { createKafka, KAFKA_SETTINGS, untilLed } from '../../src/kafka-client.js';
import { createLogger } from '../../src/logger.js';

/** Against hanging: as kafkajs has it, this many headers take minutes. */
const HANGING_MS = 60_000;
const HEADERS = 30_000;

const topic = `kafka-headers-${randomBytes(4).toString('hex')}`;
let kafka: Kafka;
let admin: Admin;
let producer: Producer;

before(async () => {
  const loaded = loadConfig(KAFKA_SETTINGS, { KAFKA_BROKERS: process.env['IMSCOPE_TEST_KAFKA'] });
  assert.ok(loaded.ok);
  kafka = createKafka(loaded.config, 'kafka-headers-test', createLogger('test', 'silent'));
  [admin, producer] = [kafka.admin(), kafka.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
  await untilLed(admin, [topic]);
});

after(async () => {
  await admin.deleteTopics({ topics: [topic] });
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

test('headers come as they were sent, however many', { timeout: HANGING_MS }, async () => {
  const many = Object.fromEntries(Array.from({ length: HEADERS }, (_, index) => [`h${index}`, `${index}`]));
  const few = { one: 'a', twice: ['b', 'c'], thrice: ['d', 'e', 'f'], constructor: 'g', empty: '' };
  await producer.send({
    topic,
    messages: [
      { value: 'few', headers: few },
      { value: 'many', headers: many },
    ],
  });
  const consumer = kafka.consumer({ groupId: topic });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const received: IHeaders[] = [];
  await new Promise<void>((resolve) => {
    void consumer.run({
      eachMessage: async ({ message }) => {
        received.push(message.headers ?? {});
        if (received.length === 2) resolve();
      },
    });
  });
  await consumer.disconnect();
  const texts = received.map((headers) =>
    Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.map(String) : String(value),
      ]),
    ),
  );
  assert.deepEqual(texts, [few, many]);
});
