import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readTopicConfig, readTopicTerms } from '@imscope/runtime/topic-terms.js';
import { HOUR_MS, plannedTopicTerms } from '@imscope/schemas/retention.js';
import kafkajs from 'kafkajs';
import { type AggregatorUnderTest, openAggregator } from './aggregator-under-test.js';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const HISTORY = {
  LATE_HOURS_MAX: '145',
  EDGE_WAIT_HOURS: '1',
  REQUEST_LOG_TOPIC_HOURS: '20',
  DEAD_LETTER_HOURS: '1',
};
const HISTORY_TERMS = plannedTopicTerms({
  lateHoursMax: 145,
  edgeWaitHours: 1,
  requestLogTopicHours: 20,
  deadLetterHours: 1,
});

let aggregator: AggregatorUnderTest;
before(async () => {
  aggregator = await openAggregator();
});
after(() => aggregator.end());

/** Runs the process to its end, which comes by itself where it refuses. */
async function run(
  environment: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<{ code: unknown; out: string; err: string }> {
  const node = ['--conditions=imscope-source', '--import', 'tsx', MAIN, ...args];
  const env = { PATH: process.env['PATH'], ...aggregator.environment, ...environment };
  const child = spawn(process.execPath, node, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [[code], out, err] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { code, out, err };
}

const prefix = (): string => aggregator.topic.replace('im.request-log', '');

async function setTopic(entries: Readonly<Record<string, string>>): Promise<void> {
  await aggregator.admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: aggregator.topic,
        configEntries: Object.entries(entries).map(([name, value]) => ({ name, value })),
      },
    ],
  });
}

test('topics of an earlier start get the terms of the present settings, and keep their other settings', async () => {
  const own = (await readTopicConfig(aggregator.admin, aggregator.topic))?.own ?? assert.fail();
  await setTopic({ ...Object.fromEntries(own), 'min.insync.replicas': '1', 'cleanup.policy': 'compact' });
  const wished = await run(HISTORY, 'prepare', '--dry-run');
  assert.equal(wished.code, 0, wished.err);
  assert.match(wished.out, /would set retention\.ms of topic \S*im\.request-log from 259200000 to 72000000/);
  const done = await run(HISTORY, 'prepare');
  assert.equal(done.code, 0, done.err);
  assert.match(done.out, /^set cleanup\.policy of topic \S*im\.request-log from compact to delete$/m);
  assert.match(done.out, /^set segment\.ms of topic \S*im\.dead-letter from 3600000 to 1800000$/m);
  assert.deepEqual(await readTopicTerms(aggregator.admin, prefix()), HISTORY_TERMS);
  const changed = (await readTopicConfig(aggregator.admin, aggregator.topic))?.own;
  assert.equal(changed?.get('min.insync.replicas'), '1');
  assert.equal(changed?.get('message.timestamp.type'), 'LogAppendTime');
  assert.match((await run(HISTORY, 'prepare')).out, /nothing to do/);
  assert.equal((await run({}, 'prepare')).code, 0);
});

test('topics whose settings may not be read are left as they are', async () => {
  const before = await readTopicTerms(aggregator.admin, prefix());
  const { code, out, err } = await run({ ...HISTORY, TOPIC_SETTINGS_READABLE: 'false' }, 'prepare');
  assert.equal(code, 0, err);
  assert.match(out, /nothing to do/);
  assert.deepEqual(await readTopicTerms(aggregator.admin, prefix()), before);
});

test('settings that do not add up are refused before anything is changed', async () => {
  for (const args of [['prepare'], ['check'], []]) {
    const { code, out, err } = await run({ LATE_HOURS_MAX: '100' }, ...args);
    assert.equal(code, 2);
    assert.match(
      out + err,
      /a request log may be kept 197 h, allowed are 168 h: 100 late \(LATE_HOURS_MAX\)/,
    );
  }
});

test('a topic that keeps messages too long keeps an aggregator from starting', async () => {
  const own = (await readTopicConfig(aggregator.admin, aggregator.topic))?.own ?? assert.fail();
  await setTopic({ ...Object.fromEntries(own), 'retention.ms': String(160 * HOUR_MS) });
  const { code, err } = await run({});
  assert.equal(code, 2);
  assert.match(err, /160 in topic \S*im\.request-log \(retention\.ms\)/);
  await setTopic(Object.fromEntries(own));
});

test('a table or view with another term is refused by name, by prepare and by a start', async () => {
  await aggregator.store.command({ query: 'ALTER TABLE edge_account REMOVE TTL' });
  await aggregator.store.command({
    query: 'ALTER TABLE interface_metric MODIFY TTL toDateTime(window_start) + INTERVAL 3 DAY',
  });
  await aggregator.store.command({
    query:
      "CREATE OR REPLACE VIEW request_log_kept AS SELECT * FROM request_log WHERE time > now64(3, 'UTC') - INTERVAL 8 DAY",
  });
  for (const args of [['prepare'], []]) {
    const { code, err } = await run({}, ...args);
    assert.equal(code, 2, err);
    assert.match(err, /table edge_account has no TTL/);
    assert.match(err, /table interface_metric has TTL toDateTime\(window_start\) \+ toIntervalDay\(3\)/);
    assert.match(err, /view request_log_kept is SELECT/);
  }
});
