import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter } from 'prom-client';
import { startAdminServer } from '../src/admin-server.js';
import { createLogger } from '../src/logger.js';
import { createRegistry } from '../src/metrics.js';
import { createReadiness } from '../src/readiness.js';

test("/live answers, /ready names failing dependencies, /metrics is in Prometheus's format", async () => {
  const registry = createRegistry('sample');
  new Counter({ name: 'imscope_sample_things_total', help: 'things', registers: [registry] }).inc(3);
  const readiness = createReadiness(['kafka', 'store']);
  const logger = createLogger('sample', 'silent');
  const admin = await startAdminServer({ host: '127.0.0.1', port: 0, registry, readiness, logger });
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${admin.port}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  assert.equal((await get('/live')).status, 200);
  readiness.report('kafka');
  readiness.report('store', 'connection refused');
  const waiting = await get('/ready');
  assert.equal(waiting.status, 503);
  assert.deepEqual(JSON.parse(waiting.text), {
    status: 'not ready',
    failing: { store: 'connection refused' },
  });
  readiness.report('store');
  assert.equal((await get('/ready')).status, 200);
  readiness.stopping();
  assert.equal((await get('/ready')).status, 503);
  assert.match((await get('/metrics')).text, /imscope_sample_things_total\{service="sample"\} 3/);
  const refused = async (path: string, method: string) => {
    const answer = await fetch(`http://127.0.0.1:${admin.port}${path}`, { method });
    const { error } = (await answer.json()) as { error: { code: string } };
    return [answer.status, error.code, answer.headers.get('allow')];
  };
  assert.deepEqual(await refused('/nothing', 'GET'), [404, 'not_found', null]);
  assert.deepEqual(await refused('/metrics', 'POST'), [405, 'method_not_allowed', 'GET, HEAD']);
  await admin.stop();
});

test('a note about what needs attention is shown by /ready, which stays 200, until it is taken back', async (t) => {
  const readiness = createReadiness([]);
  const options = { registry: createRegistry('sample'), readiness, logger: createLogger('sample', 'silent') };
  const admin = await startAdminServer({ host: '127.0.0.1', port: 0, ...options });
  t.after(() => admin.stop());
  const ready = async (): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${admin.port}/ready`);
    assert.equal(answer.status, 200);
    return answer.json();
  };
  readiness.note('purges', '1 purge is late');
  assert.deepEqual(await ready(), { status: 'ready', failing: {}, notes: { purges: '1 purge is late' } });
  readiness.note('purges');
  assert.deepEqual(await ready(), { status: 'ready', failing: {} });
});
