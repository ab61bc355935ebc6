import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EdgeAccount } from '@imscope/schemas/edge-account.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { OUTCOMES } from '@imscope/schemas/outcome.js';
import { EAST_APPLICATION, EAST_TOKEN, runCollector, type StoredMessage } from './running-collector.js';
import { sampleRecord } from './sample-record.js';

type Sums = Record<string, number>;

function addTo(sums: Sums, key: string | number, amount: number): void {
  sums[key] = (sums[key] ?? 0) + amount;
}

/** Records by partition that an account says were sent to a topic. */
function sentTo(topic: string, account: EdgeAccount | undefined): Sums {
  const sums: Sums = {};
  for (const { topic: name, partition, records } of account?.partitions ?? []) {
    if (name === topic) addTo(sums, partition, records);
  }
  return sums;
}

function heldBy(messages: readonly StoredMessage<unknown>[]): Sums {
  const sums: Sums = {};
  for (const { partition, records } of messages) addTo(sums, partition, records.length);
  return sums;
}

test('metrics equal the logs by application and minute, and the final account equals both', async () => {
  const collector = await runCollector({ partitions: 3, environment: { BATCH_RECORDS_MAX: '50' } });
  try {
    const now = Date.now();
    const bodies = Array.from({ length: 12 }, (_, body) =>
      Array.from({ length: 100 }, (_unused, index) =>
        sampleRecord({
          time: now - ((index * 7_919) % 3_000_000),
          sdk_app_id: 1_400_000_001 + (index % 5),
          interface: `openim/command${body % 4}`,
          region: index % 2 === 0 ? 'east' : '',
          code: [0, 0, null, 60_020, 70_001][index % 5],
          latency_ms: (index * body) / 3,
        }),
      ),
    );
    const answers = await Promise.all(bodies.map((body) => collector.post(JSON.stringify(body))));
    assert(answers.every(({ status }) => status === 202));
    const refused = [
      sampleRecord({ time: now, latency_ms: -1, sdk_app_id: EAST_APPLICATION }),
      sampleRecord({ time: now }),
      5,
    ];
    const refusal = await collector.post(JSON.stringify(refused), { authorization: `Bearer ${EAST_TOKEN}` });
    assert.equal(refusal.status, 202);
    const unnamed = [sampleRecord({ time: now, sdk_app_id: 'x' }), 5];
    assert.equal((await collector.post(JSON.stringify(unnamed))).status, 202);
    await collector.stop();

    const [logMessages, metricMessages, accountMessages] = await Promise.all([
      collector.messages(),
      collector.metricMessages(),
      collector.accountMessages(),
    ]);
    const logs = logMessages.flatMap(({ records }) => records);
    assert.equal(logs.length, 1_200);
    const [byLogs, byMetrics, latencyByLogs, latencyByMetrics]: Sums[] = [{}, {}, {}, {}];
    assert(byLogs && byMetrics && latencyByLogs && latencyByMetrics);
    for (const log of logs) {
      const minute = Math.floor(log.time / 60_000);
      addTo(byLogs, `${log.sdk_app_id} ${minute} ${log.outcome}`, log.weight);
      addTo(latencyByLogs, log.sdk_app_id, log.latency_us);
    }
    for (const { headers, records } of metricMessages) {
      for (const metric of records) {
        const start = metric.window_start;
        assert(headers.eventTimes !== undefined);
        assert(headers.eventTimes.least <= start && start <= headers.eventTimes.greatest);
        for (const outcome of OUTCOMES) {
          const key = `${metric.sdk_app_id} ${Math.floor(start / 60_000)} ${outcome}`;
          if (metric[outcome] > 0) addTo(byMetrics, key, metric[outcome]);
        }
        addTo(latencyByMetrics, metric.sdk_app_id, metric.latency_sum_us);
      }
    }
    assert.deepEqual(byMetrics, byLogs);
    assert.deepEqual(latencyByMetrics, latencyByLogs);

    const last = accountMessages.at(-1)?.records[0];
    assert.equal(last?.final, true);
    assert.equal(last.boot, collector.boot);
    assert.deepEqual(sentTo(TOPICS.requestLog.name, last), heldBy(logMessages));
    assert.deepEqual(sentTo(TOPICS.interfaceMetric.name, last), heldBy(metricMessages));
    assert.deepEqual(sentTo(TOPICS.edgeAccount.name, last), { 0: accountMessages.length - 1 });
    const accounts = new Map(last.applications.map((account) => [account.sdk_app_id, account]));
    for (let application = 1_400_000_001; application <= 1_400_000_005; application++) {
      assert.equal(accounts.get(application)?.accepted, 240);
    }
    // A token of one application: what names none, or another one, counts for that application.
    const rejected = { out_of_range: 1, application_not_allowed: 1, not_an_object: 1 };
    assert.deepEqual(accounts.get(EAST_APPLICATION)?.rejected, rejected);
    assert.deepEqual(accounts.get(0)?.rejected, { wrong_type: 1, not_an_object: 1 });
    for (const { partition, headers } of logMessages) {
      const account = last.partitions.find(
        (each) => each.topic === TOPICS.requestLog.name && each.partition === partition,
      );
      assert(account !== undefined && headers.batch.sequence <= account.last_sequence);
    }
  } finally {
    await collector.remove();
  }
});

test('a collector without traffic writes accounts too, one after the other', async () => {
  const collector = await runCollector({ environment: { ACCOUNT_INTERVAL_MS: '1000' } });
  try {
    while ((await collector.metric('records_sent_total')) < 3) await new Promise(setImmediate);
    await collector.stop();
    const accounts = (await collector.accountMessages()).flatMap(({ records }) => records);
    assert.deepEqual(
      accounts.map(({ sequence }) => sequence),
      accounts.map((_, index) => index),
    );
    assert.deepEqual(
      accounts.map(({ final }) => final),
      accounts.map((_, index) => index === accounts.length - 1),
    );
    for (const account of accounts) assert.deepEqual(account.applications, []);
    assert.deepEqual(await collector.metricMessages(), []);
  } finally {
    await collector.remove();
  }
});
