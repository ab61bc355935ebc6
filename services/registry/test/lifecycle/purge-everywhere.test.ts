/* A purge through the running registry with a telemetry store: its names, logs of a way around the registry. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStoreClient } from '@imscope/runtime/store-client.js';
import { until } from '../../../../scripts/pipeline/until.js';
import { openRegistry } from '../backends.js';
import { logRow, openTelemetryStore } from '../exports/telemetry-store.js';
import { newApplication } from '../new-application.js';
import { PURGE_MS, START_MS } from './lifecycle-under-test.js';

const PURGED = 1;
const OTHER = 2;

test('a purge leaves no row and no name of the application in the telemetry store', async (t) => {
  const telemetry = await openTelemetryStore();
  t.after(() => telemetry.close());
  const { url, user, password, database } = telemetry.store;
  const client = createStoreClient(
    {
      storeUrl: url,
      storeUser: user,
      storePassword: password,
      storeDatabase: database,
      storeConnectionsMax: 2,
    },
    'imscope-purge-test',
    60_000,
  );
  t.after(() => client.close());
  const idsIn = async (table: string): Promise<number[]> => {
    const query = `SELECT DISTINCT sdk_app_id AS id FROM ${table} ORDER BY id`;
    const rows = await (await client.query({ query, format: 'JSONEachRow' })).json<{ id: number }>();
    return rows.map(({ id }) => id);
  };
  const clock = { nowMs: START_MS };
  const options = { now: () => clock.nowMs, env: telemetry.env, lifecycleEveryMs: 50 };
  const registry = await openRegistry('integrated', 'purge', options);
  t.after(() => registry.stop());
  for (const sdkAppId of [PURGED, OTHER]) {
    await registry.call('createApplication', { body: newApplication(sdkAppId) });
    await telemetry.insert([logRow(Date.now() - 60_000, sdkAppId), logRow(Date.now() - 120_000, sdkAppId)]);
  }
  await until('both names are in the store', async () => (await idsIn('application_detail')).length === 2);
  const params = { sdk_app_id: PURGED };
  await registry.call('terminateApplication', { params, body: { reason: 'contract ended' }, revision: 1 });
  clock.nowMs = PURGE_MS;
  await until('the purge is complete', async () => {
    const { purges } = await registry.call('listPurges', {});
    return purges.some(({ completed_at: completedAt }) => completedAt !== null);
  });
  const certificate = await registry.call('getPurge', { params });
  const place = certificate.places.find(({ place: name }) => name === 'telemetry');
  assert.equal(place?.state, 'done');
  assert.ok(place.deleted >= 2, String(place.deleted));
  for (const table of ['request_log', 'application_detail'])
    assert.deepEqual(await idsIn(table), [OTHER], table);
});
