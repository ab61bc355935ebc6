/* The rows of an application in the real store (chDB behind ClickHouse's HTTP interface). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openTables } from '../../../../scripts/stack/open-tables.js';
import { startStore } from '../../../../scripts/stack/store.js';
import type { PurgeSubject } from '../../src/lifecycle/purge-places.js';
import { purgeTelemetry, TELEMETRY_TABLES } from '../../src/lifecycle/purge-telemetry.js';
import { APPLICATION, PURGE_MS, START_MS } from './lifecycle-under-test.js';

const OTHER = APPLICATION + 1;
const SUBJECT: PurgeSubject = {
  sdkAppId: APPLICATION,
  terminatedMs: START_MS,
  dueMs: PURGE_MS,
  latestMs: PURGE_MS,
  startedMs: PURGE_MS,
};

const dir = mkdtempSync(join(tmpdir(), 'imscope-purge-'));
const store = await startStore({
  dataDir: join(dir, 'store'),
  mode: 'source',
  password: 'a password for this test',
});
const client = await openTables(store, 'imscope-purge-test');
after(async () => {
  await client.close();
  await store.stop();
  rmSync(dir, { recursive: true });
});
const select = async (query: string): Promise<Record<string, unknown>[]> =>
  (await client.query({ query, format: 'JSONEachRow' })).json<Record<string, unknown>>();

/** Rows in every table, of both applications, in two parts each. */
async function fill(): Promise<void> {
  const time = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
  for (const part of [0, 1]) {
    for (const sdkAppId of [APPLICATION, OTHER]) {
      const rows = {
        request_log: { time: time + part, exit_ip: '::ffff:8.8.8.8', interface: 'openim/sendmsg' },
        interface_metric: {
          window_start: time + 60_000 * part,
          window_s: 60,
          interface: 'openim/sendmsg',
          success: 1,
        },
        hour_rollup: { kind: 'application_hour', window_start: time, version: part },
        application_detail: {
          name: 'Nachtigall',
          package: 'pro',
          owner: 'A',
          region: 'x',
          revision: part,
          deleted: false,
        },
      };
      for (const table of TELEMETRY_TABLES) {
        const values = [{ sdk_app_id: sdkAppId, ...rows[table] }];
        await client.insert({ table, values, format: 'JSONEachRow' });
      }
    }
  }
}

async function rowsOf(sdkAppId: number): Promise<number[]> {
  const counts = TELEMETRY_TABLES.map(async (table) => {
    const [row] = await select(`SELECT count() AS count FROM ${table} WHERE sdk_app_id = ${sdkAppId}`);
    return Number(row?.['count']);
  });
  return Promise.all(counts);
}

test('rows of the application are deleted by finished mutations, and nothing else is', async () => {
  await fill();
  const before = await rowsOf(APPLICATION);
  assert.ok(
    before.every((count) => count > 0),
    String(before),
  );
  const others = await rowsOf(OTHER);
  const found: number[] = [];
  const result = await purgeTelemetry(client)(SUBJECT, async (count) => void found.push(count));
  const total = before.reduce((sum, count) => sum + count, 0);
  assert.deepEqual(result, { kind: 'done', deleted: total });
  assert.deepEqual(found, [total]);
  assert.deepEqual(await rowsOf(APPLICATION), [0, 0, 0, 0]);
  assert.deepEqual(await rowsOf(OTHER), others);
  const names = await select(
    `SELECT dictGet('application_name', 'name', toUInt64(arrayJoin([${APPLICATION}, ${OTHER}]))) AS name`,
  );
  assert.deepEqual(names, [{ name: '' }, { name: 'Nachtigall' }]);
  const mutations = await select(
    `SELECT table, is_done FROM system.mutations WHERE command LIKE '%${APPLICATION}%' ORDER BY table`,
  );
  assert.deepEqual(
    mutations.map(({ table, is_done: isDone }) => [table, isDone]),
    TELEMETRY_TABLES.toSorted().map((table) => [table, 1]),
  );
});

test('no part on the disk of the store holds a row of it, hidden or not', async () => {
  await fill();
  await purgeTelemetry(client)(SUBJECT, async () => undefined);
  for (const table of TELEMETRY_TABLES) {
    const [row] = await select(
      `SELECT count() AS count FROM ${table} WHERE sdk_app_id = ${APPLICATION} SETTINGS apply_deleted_mask = 0`,
    );
    assert.equal(Number(row?.['count']), 0, table);
  }
});

async function mutationCount(): Promise<number> {
  const [row] = await select('SELECT count() AS count FROM system.mutations');
  return Number(row?.['count']);
}

test('where the terms have deleted everything, no mutation is made', async () => {
  const before = await mutationCount();
  const nobody = { ...SUBJECT, sdkAppId: APPLICATION + 9 };
  assert.deepEqual(await purgeTelemetry(client)(nobody, async () => undefined), { kind: 'done', deleted: 0 });
  assert.equal(await mutationCount(), before);
});
