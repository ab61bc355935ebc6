import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startControl } from '../control-server.js';
import { IncidentSchedule } from '../incidents.js';

const schedule = new IncidentSchedule();
const control = await startControl({ port: 0, schedule, state: () => ({ totals: { acknowledged: 3 } }) });
after(() => control.stop());

async function call(
  method: string,
  path: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`http://127.0.0.1:${control.port}${path}`, { method });
  const body: Record<string, unknown> = await response.json().then((known) => ({ ...Object(known) }));
  return { status: response.status, body };
}

test('POST begins an incident, DELETE ends it, GET shows the state', async () => {
  const begun = await call('POST', '/incidents/bad-isp?for=90s');
  assert.deepEqual([begun.status, begun.body['running']], [201, ['bad-isp']]);
  const [known] = schedule.at(Date.now());
  assert.equal((known?.toMs ?? 0) - (known?.fromMs ?? 0), 90_000);
  const state = await call('GET', '/state');
  assert.deepEqual([state.body['running'], state.body['totals']], [['bad-isp'], { acknowledged: 3 }]);
  assert.deepEqual((await call('DELETE', '/incidents/bad-isp')).body['running'], []);
});

test('healthy ends every incident, and an application can be chosen by rank', async () => {
  await call('POST', '/incidents/error-burst?application=4');
  await call('POST', '/incidents/late-clocks');
  assert.deepEqual(
    schedule.at(Date.now()).map(({ name, applicationIndex }) => [name, applicationIndex]),
    [
      ['error-burst', 4],
      ['late-clocks', 0],
    ],
  );
  assert.deepEqual((await call('POST', '/incidents/healthy')).body['running'], []);
});

for (const [method, path, status, code] of [
  ['POST', '/incidents/earthquake', 404, 'unknown_incident'],
  ['POST', '/incidents/bad-isp?for=soon', 400, 'invalid_parameter'],
  ['POST', '/incidents/bad-isp?application=-1', 400, 'invalid_parameter'],
  ['PATCH', '/incidents/bad-isp', 405, 'method_not_allowed'],
  ['GET', '/elsewhere', 404, 'not_found'],
] as const) {
  test(`${method} ${path} is answered ${status} ${code}`, async () => {
    const { status: given, body } = await call(method, path);
    assert.equal(given, status);
    assert.equal(Object(body['error'])['code'], code);
  });
}
