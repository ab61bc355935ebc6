import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config.js';
import { createKafka, KAFKA_SETTINGS } from '../../src/kafka-client.js';
import { createLogger } from '../../src/logger.js';

test('a client at work sets no timer in the past', async () => {
  const warnings: string[] = [];
  const note = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', note);
  const loaded = loadConfig(KAFKA_SETTINGS, { KAFKA_BROKERS: process.env['IMSCOPE_TEST_KAFKA'] });
  assert.ok(loaded.ok);
  const admin = createKafka(loaded.config, 'kafka-timers-test', createLogger('test', 'silent')).admin();
  await admin.connect();
  const answers = await Promise.all(Array.from({ length: 40 }, () => admin.describeCluster()));
  await admin.disconnect();
  process.off('warning', note);
  assert.equal(answers.length, 40);
  assert.deepEqual(warnings, []);
});
