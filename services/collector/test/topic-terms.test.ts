import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import { TopicSettingsDeniedError } from '@imscope/runtime/topic-terms.js';
import { HOUR_MS } from '@imscope/schemas/retention.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import kafkajs from 'kafkajs';
import type { KafkaProducer } from '../src/kafka/kafka-producer.js';
import { createTestTopic, runCollector, testBroker, writeRegistryFile } from './running-collector.js';
import { sampleRecord } from './sample-record.js';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const WITHIN_MS = 60_000;

/** Starts a collector on topics whose settings were changed, and waits for its end. */
async function endOfStart(
  change: { readonly topic: string; readonly name: string; readonly value: string },
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: unknown; stderr: string }> {
  const { kafka, prefix, remove } = await createTestTopic(1);
  const registryFile = await writeRegistryFile();
  const admin = kafka.admin();
  await admin.connect();
  // AlterConfigs sets what it does not name back to the broker's default, a segment of 7 days among it.
  const configEntries = [
    { name: 'segment.ms', value: String(HOUR_MS) },
    { name: change.name, value: change.value },
  ];
  const name = prefix + change.topic;
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configEntries }],
  });
  await admin.disconnect();
  const child = spawn(process.execPath, ['--conditions=imscope-source', '--import', 'tsx', MAIN], {
    env: {
      PATH: process.env['PATH'],
      KAFKA_BROKERS: testBroker(),
      KAFKA_TOPIC_PREFIX: prefix,
      REGISTRY_FILE: registryFile.path,
      SPOOL_DIR: join(registryFile.directory, 'spool'),
      COLLECTOR_PORT: '0',
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const [[code], stderr] = await Promise.all([once(child, 'exit'), text(child.stderr)]);
    return { code, stderr };
  } finally {
    child.kill('SIGKILL');
    await remove();
    await registryFile.remove();
  }
}

test('a topic that keeps request logs longer than this collector’s settings allow prevents its start', async () => {
  const days = String(5 * 24 * HOUR_MS);
  const { code, stderr } = await endOfStart({ topic: 'im.request-log', name: 'retention.ms', value: days });
  assert.equal(code, 2);
  assert.match(stderr, /a request log may be kept 169 h, allowed are 168 h.*120 in topic \S*im\.request-log/);
});

test('a topic without retention, or that is only compacted, prevents a start', async () => {
  const endless = await endOfStart({ topic: 'im.interface-metric', name: 'retention.ms', value: '-1' });
  assert.equal(endless.code, 2);
  assert.match(endless.stderr, /an interface metric may be kept unlimited h.*set retention\.ms/);
  const compacted = await endOfStart({ topic: 'im.edge-account', name: 'cleanup.policy', value: 'compact' });
  assert.equal(compacted.code, 2);
  assert.match(
    compacted.stderr,
    /an edge account may be kept unlimited h.*set cleanup\.policy of topic \S+ to delete/,
  );
});

const TOLD_TERMS = {
  requestLog: { retentionMs: 72 * HOUR_MS, segmentMs: HOUR_MS },
  interfaceMetric: { retentionMs: 24 * HOUR_MS, segmentMs: HOUR_MS },
  edgeAccount: { retentionMs: 72 * HOUR_MS, segmentMs: HOUR_MS },
  deadLetter: undefined,
};
const record = () => JSON.stringify([sampleRecord({ time: Date.now() })]);

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WITHIN_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${WITHIN_MS} ms: ${what}`);
    await delay(50);
  }
}

const noBrokerAnswers = (): Promise<never> => Promise.reject(new Error('no broker answers'));

test('until the brokers answer how long they keep messages, records are accepted and none is sent', async () => {
  let told: KafkaProducer['readTopicTerms'] = noBrokerAnswers;
  const failures: Error[] = [];
  const collector = await runCollector({
    fail: (error) => failures.push(error),
    wrap: (producer) => ({ ...producer, readTopicTerms: () => told() }),
  });
  try {
    assert.equal((await collector.post(record())).status, 202);
    await collector.post(record());
    assert.equal(await collector.metric('kafka_away'), 1);
    told = () =>
      Promise.resolve({ ...TOLD_TERMS, requestLog: { retentionMs: 200 * HOUR_MS, segmentMs: HOUR_MS } });
    await until('the collector ends itself', () => failures.length > 0);
    const [failure] = failures;
    assert(failure instanceof SettingsError);
    assert.match(failure.message, /a request log may be kept 249 h, allowed are 168 h/);
    assert.deepEqual(await collector.messages(), []);
    told = () => Promise.resolve(TOLD_TERMS);
    await until('both records are sent', async () => (await collector.messages()).length > 0);
    const sent = (await collector.messages()).flatMap(({ records }) => records);
    assert.equal(sent.length, 2);
  } finally {
    await collector.remove();
  }
});

test('brokers that do not allow reading the retention prevent a start, unless the settings state it', async () => {
  const denied = new TopicSettingsDeniedError(TOPICS.requestLog.name, new Error('denied'));
  const wrap = (producer: KafkaProducer): KafkaProducer => ({
    ...producer,
    readTopicTerms: () => Promise.reject(denied),
  });
  await assert.rejects(
    runCollector({ wrap }),
    /allow DescribeConfigs on it, or set TOPIC_SETTINGS_READABLE=false/,
  );
  const collector = await runCollector({ wrap, environment: { TOPIC_SETTINGS_READABLE: 'false' } });
  assert.equal((await collector.post(record())).status, 202);
  await collector.remove();
});
