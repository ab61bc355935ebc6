import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openCollector, type CollectorClientOptions, type Delivery } from '../collector-client.js';
import { createTraffic } from '../generate.js';
import { incident, IncidentSchedule } from '../incidents.js';
import type { Batch } from '../record-writer.js';
import { sendHistory, SendingRefused, sendLive, type Progress, type SendOptions } from '../send.js';
import { Truth } from '../truth.js';
import {
  answer,
  startFakeCollector,
  acceptAll,
  until,
  type Answering,
  type Received,
  type FakeCollector,
} from './fake-collector.js';

const traffic = createTraffic({ seed: 5, applications: 8 });
const FROM_MS = Date.UTC(2026, 2, 4);
const RANGE = { fromMs: FROM_MS, toMs: FROM_MS + 3_600_000 };
const never = new AbortController().signal;
const opened: { close(): Promise<void> }[] = [];
after(async () => {
  await Promise.all(opened.map((one) => one.close()));
});

async function peer(answering: Answering = acceptAll): Promise<FakeCollector> {
  const collector = await startFakeCollector(answering);
  opened.push({ close: () => collector.stop() });
  return collector;
}

function client(url: string, options: Partial<CollectorClientOptions> = {}) {
  const made = openCollector({ url, connections: 4, giveUpAfterMs: 20_000, ...options });
  opened.unshift(made);
  return made;
}

function oneBatch(count = 10): Batch {
  const [batch] = traffic.between({ ...RANGE, count });
  assert.ok(batch);
  return batch;
}

function sending(url: string, options: Partial<SendOptions> = {}) {
  const truth = new Truth(traffic.applications, traffic.series, true);
  return { traffic, client: client(url), truth, batchRecords: 100, ...options };
}

function late({ records }: Received): boolean {
  return records.some(({ time }) => Number(time) < Date.now() - 300_000);
}

function received({ requests }: FakeCollector): number {
  return requests.reduce((sum, { records }) => sum + records.length, 0);
}

test('history arrives completely, and the truth counts the acknowledged records', async () => {
  const collector = await peer();
  const options = sending(collector.url);
  const reported: Progress[] = [];
  await sendHistory({ ...options, ...RANGE, count: 1050, onProgress: (progress) => reported.push(progress) });
  assert.equal(received(collector), 1050);
  assert.equal(options.truth.totals().acknowledged, 1050);
  const last = reported.at(-1);
  assert.deepEqual([last?.phase, last?.sent, last?.accepted, last?.planned], ['history', 1050, 1050, 1050]);
  const ids = collector.requests.flatMap(({ records }) => records.map((record) => record['request_id']));
  assert.equal(new Set(ids).size, 1050);
});

test('JSON bodies, gzip and the token reach the collector', async () => {
  const collector = await peer();
  const options = sending(collector.url, {
    client: client(collector.url, { token: 'secret-1', gzip: true }),
  });
  await sendHistory({ ...options, ...RANGE, count: 250, format: 'json' });
  assert.equal(received(collector), 250);
  const [first] = collector.requests;
  assert.equal(first?.headers.authorization, 'Bearer secret-1');
  assert.equal(first.headers['content-encoding'], 'gzip');
  assert.equal(first.headers['content-type'], 'application/json');
});

for (const status of [503, 429]) {
  test(`${status} with Retry-After is sent again and counted once`, async () => {
    const collector = await peer((received, response, number) => {
      const error = { error: { code: 'unavailable', message: 'nothing was taken' } };
      if (number <= 2) answer(response, status, error, { 'retry-after': '0' });
      else void acceptAll(received, response, number);
    });
    const options = sending(collector.url);
    await sendHistory({ ...options, ...RANGE, count: 10 });
    assert.equal(collector.requests.length, 3);
    assert.deepEqual(collector.requests[0]?.records, collector.requests[2]?.records);
    assert.equal(options.truth.totals().acknowledged, 10);
  });
}

test('a collector that starts later gets the records once it is up', async () => {
  const gone = await startFakeCollector();
  await gone.stop();
  const delivered = client(gone.url).deliver(oneBatch(), never);
  await assert.rejects(fetch(gone.url));
  const back = await startFakeCollector(acceptAll, gone.port);
  opened.push({ close: () => back.stop() });
  assert.deepEqual(await delivered, { kind: 'accepted', rejected: [] });
  assert.equal(received(back), 10);
});

test('records are given up as unsent if the collector stays down', async () => {
  const gone = await startFakeCollector();
  await gone.stop();
  const delivery = await client(gone.url, { giveUpAfterMs: 300 }).deliver(oneBatch(), never);
  assert.deepEqual(delivery, { kind: 'unsent', reason: 'ECONNREFUSED' });
});

const doubtful: readonly (readonly [title: string, answering: Answering])[] = [
  ['a connection lost after sending', (_received, response) => void response.socket?.destroy()],
  [
    'an internal error',
    (_received, response) => answer(response, 500, { error: { code: 'internal_error' } }),
  ],
  [
    'a 504, for records may have been stored',
    (_received, response) =>
      answer(response, 504, { error: { code: 'timeout', message: 'some records may have been stored' } }),
  ],
  [
    'an answer that names fewer refused records than there are',
    (_received, response) =>
      answer(response, 202, { accepted: 7, rejected: [{ index: 1, reason: 'wrong_type' }] }),
  ],
];
for (const [title, answering] of doubtful) {
  test(`${title} is in doubt and never sent again`, async () => {
    const collector = await peer(answering);
    const delivery: Delivery = await client(collector.url).deliver(oneBatch(), never);
    assert.equal(delivery.kind, 'ambiguous');
    assert.equal(collector.requests.length, 1);
  });
}

test('records in doubt are counted for their applications, apart from the acknowledged', async () => {
  const collector = await peer((received, response, number) => {
    if (number === 1) response.socket?.destroy();
    else void acceptAll(received, response, number);
  });
  const options = sending(collector.url, { inFlightMax: 1 });
  await sendHistory({ ...options, ...RANGE, count: 300 });
  const { totals, applications } = options.truth.report();
  assert.deepEqual([totals.acknowledged, totals.ambiguous], [200, 100]);
  assert.equal(
    applications.reduce((sum, { ambiguous }) => sum + ambiguous, 0),
    100,
  );
});

test('refused records are subtracted from the truth by their index', async () => {
  const collector = await peer(({ records }, response) => {
    const rejected = [0, 3].map((index) => ({ index, reason: 'time_too_old', detail: '' }));
    answer(response, 202, { accepted: records.length - 2, rejected });
  });
  const options = sending(collector.url);
  await sendHistory({ ...options, ...RANGE, count: 100 });
  const stored = collector.requests.flatMap(({ records }) =>
    records.filter((_, index) => index !== 0 && index !== 3),
  );
  for (const { sdk_app_id, acknowledged } of options.truth.report().applications) {
    assert.equal(acknowledged, stored.filter((record) => record['sdk_app_id'] === sdk_app_id).length);
  }
  assert.deepEqual(options.truth.totals().reasons.rejected, { time_too_old: 2 });
});

test('a wrong token ends the sending with the reason, and every sent record is counted', async () => {
  const collector = await peer((_received, response) => {
    answer(response, 401, { error: { code: 'invalid_token', message: 'no such token' } });
  });
  const options = sending(collector.url, { inFlightMax: 2 });
  await assert.rejects(sendHistory({ ...options, ...RANGE, count: 10_000 }), (error) => {
    assert.ok(error instanceof SendingRefused);
    assert.match(error.message, /http_401_invalid_token/);
    return true;
  });
  assert.ok(collector.requests.length <= 4);
  assert.equal(options.truth.totals().rejected, received(collector));
});

test('no more requests are in flight than allowed', async () => {
  let open = 0;
  let most = 0;
  const collector = await peer(async (received, response, number) => {
    most = Math.max(most, ++open);
    await new Promise(setImmediate);
    open--;
    await acceptAll(received, response, number);
  });
  const options = sending(collector.url, { inFlightMax: 3 });
  await sendHistory({ ...options, ...RANGE, count: 3000 });
  assert.ok(most <= 3, String(most));
});

test('stopping finishes requests in flight and sends no new ones', async () => {
  const stop = new AbortController();
  const collector = await peer((received, response, number) => {
    if (number === 3) stop.abort();
    void acceptAll(received, response, number);
  });
  const options = sending(collector.url, { stopping: stop.signal, inFlightMax: 2 });
  await sendHistory({ ...options, ...RANGE, count: 100_000 });
  const { acknowledged, ambiguous, unsent } = options.truth.totals();
  assert.deepEqual([acknowledged, ambiguous, unsent], [received(collector), 0, 0]);
  assert.ok(collector.requests.length <= 5);
});

test('live traffic ends after exactly its number of records, all of this moment', async () => {
  const collector = await peer();
  const options = sending(collector.url);
  const beganMs = Date.now();
  await sendLive({ ...options, ratePerSecond: 20_000, count: 3333, inFlightMax: 64 });
  assert.equal(received(collector), 3333);
  assert.equal(options.truth.totals().acknowledged, 3333);
  for (const { records } of collector.requests) {
    for (const { time } of records) assert.ok(Number(time) >= beganMs && Number(time) <= Date.now());
  }
});

test('live traffic ends after its time with as many records as the rate gives', async () => {
  const collector = await peer();
  const options = sending(collector.url);
  await sendLive({ ...options, ratePerSecond: 2000, forMs: 500, inFlightMax: 64 });
  assert.equal(received(collector), 1000);
});

test('live traffic does not wait for a slow collector: beyond the bound it skips and counts', async () => {
  const options = sending('http://127.0.0.1:9', { inFlightMax: 1 });
  const collector = await peer(async (received, response, number) => {
    if (number === 1) await until(() => options.truth.totals().skipped >= 200);
    await acceptAll(received, response, number);
  });
  await sendLive({ ...options, client: client(collector.url), ratePerSecond: 10_000, count: 400 });
  const { acknowledged, skipped } = options.truth.totals();
  assert.deepEqual([acknowledged, received(collector)], [400, 400]);
  assert.ok(skipped >= 200);
});

test('an incident that begins while traffic runs affects the records from then on', async () => {
  const schedule = new IncidentSchedule();
  const collector = await peer((received, response, number) => {
    if (number === 5) schedule.add(incident('late-clocks', Date.now(), Infinity));
    void acceptAll(received, response, number);
  });
  const options = sending(collector.url, { schedule, inFlightMax: 64 });
  await sendLive({ ...options, ratePerSecond: 20_000, count: 10_000 });
  assert.equal(collector.requests.slice(0, 5).some(late), false);
  assert.equal(collector.requests.slice(5).some(late), true);
});
