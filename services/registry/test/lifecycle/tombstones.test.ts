import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { dumpTables, loadDump } from '@imscope/state/dump.js';
import type { RegistryTables } from '../../src/rows/tables.js';
import { reapplyTombstones, readTombstones } from '../../src/lifecycle/tombstones.js';
import {
  APPLICATION,
  BACKENDS,
  DAY_MS,
  type LifecycleUnderTest,
  openLifecycle,
  PURGE_MS,
  WITHIN_MS,
} from './lifecycle-under-test.js';
import { confirmTrtc, terminateFilled } from './purged-application.js';
import { tracesOf } from './traces.js';

const TABLES = [
  'application',
  'slo_target',
  'code_override',
  'application_version',
  'token',
  'data_key',
  'secret',
  'audit',
  'outbox',
  'entry',
  'counter',
  'notice',
  'sharing',
  'export_object',
  'purge',
  'purge_place',
  'tombstone',
  'backup',
] as (keyof RegistryTables)[];

/** All rows, as a backup holds them. */
async function backUp({ database }: LifecycleUnderTest): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of dumpTables(database, TABLES)) lines.push(line);
  return lines;
}

async function restoreBackup({ database }: LifecycleUnderTest, lines: readonly string[]): Promise<void> {
  for (const table of TABLES) await database.kysely.deleteFrom(table).execute();
  await loadDump(database, Readable.from(lines), { tables: TABLES });
}

async function reapply(registry: LifecycleUnderTest): Promise<number[]> {
  return reapplyTombstones(registry.database, await readTombstones(registry.objects), {
    nowMs: registry.clock.nowMs,
    withinMs: WITHIN_MS,
  });
}

for (const backend of BACKENDS) {
  test(`${backend}: a backup from before the purge, restored after it, is purged again`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await terminateFilled(registry);
    const backup = await backUp(registry);
    await registry.pass();
    registry.clock.nowMs += 3 * DAY_MS;
    await restoreBackup(registry, backup);
    assert.notDeepEqual(await tracesOf(registry, 'Nachtigall'), []);
    assert.deepEqual(await reapply(registry), [APPLICATION]);
    assert.deepEqual(await reapply(registry), [], 'once is enough');
    await registry.pass();
    assert.deepEqual(await tracesOf(registry, 'Nachtigall'), []);
  });

  test(`${backend}: a backup from before the termination is purged again, and its sharing is ended`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await registry.create('Nachtigall', { share_with_trtc: true });
    await confirmTrtc(registry);
    const backup = await backUp(registry);
    await registry.terminate(1);
    await confirmTrtc(registry);
    registry.clock.nowMs = PURGE_MS;
    await registry.pass();
    await restoreBackup(registry, backup);
    assert.deepEqual(await reapply(registry), [APPLICATION]);
    const outbox = await registry.database.kysely.selectFrom('outbox').select('kind').execute();
    assert.deepEqual(outbox, [{ kind: 'trtc_end' }]);
    await registry.pass();
    assert.deepEqual(await tracesOf(registry, 'Nachtigall'), []);
  });

  test(`${backend}: an application that was created after the purge under its SDKAppID stays`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await terminateFilled(registry);
    await registry.pass();
    registry.clock.nowMs += DAY_MS;
    await registry.create('Amsel');
    const backup = await backUp(registry);
    await restoreBackup(registry, backup);
    assert.deepEqual(await reapply(registry), []);
    await registry.pass();
    assert.notDeepEqual(await tracesOf(registry, 'Amsel'), []);
  });
}
