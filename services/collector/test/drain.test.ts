import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { exchange, postRequest } from './proxy-protocol/raw-connection.js';
import { runCollector, WRITE_TOKEN } from './running-collector.js';
import { sampleRecord } from './sample-record.js';

const KEPT = { authorization: `Bearer ${WRITE_TOKEN}`, connection: 'keep-alive' };

function record(id: string): string {
  return JSON.stringify(sampleRecord({ time: Date.now(), request_id: id }));
}

test('a stopping collector is not ready, accepts requests on old and new connections, and closes each', async () => {
  const collector = await runCollector({ environment: { DRAIN_MS: '2000' } });
  const port = Number(new URL(collector.url).port);
  const kept = connect(port, '127.0.0.1');
  let answers = '';
  kept.setEncoding('utf8').on('data', (text: string) => (answers += text));
  kept.write(postRequest(KEPT, record('before')));
  await once(kept, 'data');
  assert.match(answers, /^HTTP\/1\.1 202 [\s\S]*connection: keep-alive/i);
  const stopped = collector.stop();
  assert.equal(collector.readiness.state().ready, false);
  const onNew = await exchange(port, [postRequest(KEPT, record('new'))]);
  assert.match(onNew, /^HTTP\/1\.1 202 [\s\S]*connection: close/i);
  answers = '';
  kept.write(postRequest(KEPT, record('kept')));
  await once(kept, 'close');
  assert.match(answers, /^HTTP\/1\.1 202 [\s\S]*connection: close/i);
  await stopped;
  const stored = (await collector.messages()).flatMap(({ records }) => records.map((one) => one.request_id));
  assert.deepEqual(stored.toSorted(), ['before', 'kept', 'new']);
  await collector.remove();
});

test('a collector without clients stops without waiting', async () => {
  const collector = await runCollector({ environment: { DRAIN_MS: '10000' } });
  const startMs = performance.now();
  await collector.stop();
  assert.ok(performance.now() - startMs < 10_000);
  await collector.remove();
});
