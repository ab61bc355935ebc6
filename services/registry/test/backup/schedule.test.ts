/* Backups in time, and their end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import { createLogger } from '@imscope/runtime/logger.js';
import { type BackupServices, createBackup } from '../../src/backup/create-backup.js';
import { completeBackups, type Manifest } from '../../src/backup/manifest.js';
import { type BackupScheduleOptions, startBackups } from '../../src/backup/start-backups.js';
import { BACKUP_TIME_MAX_MS, sweepBackups } from '../../src/backup/sweep-backups.js';
import type { ObjectStore } from '../../src/objects/object-store.js';
import { collect } from '../objects/test-places.js';
import { addApplication, type Place, PLACES } from './places.js';

const DAY_MS = 86_400_000;
const KEEP = { keepMs: 30 * DAY_MS };

async function backup(place: Place, more: Partial<BackupServices> = {}): Promise<Manifest> {
  return createBackup({ ...place, keepDays: 30, now: Date.now, ...more });
}

async function keysOf({ objects }: Place): Promise<string[]> {
  return (await collect(objects.list('backups/'))).map(({ key }) => key);
}

async function rowsOf({ database }: Place): Promise<unknown[]> {
  return database.kysely.selectFrom('backup').selectAll().execute();
}

for (const [name, open] of Object.entries(PLACES)) {
  void describe(name, async () => {
    const places: Place[] = [];
    after(async () => {
      for (const place of places) await place.close();
    });
    const openNew = async (): Promise<Place> => {
      const place = await open();
      places.push(place);
      await addApplication(place, { versions: 2, token: 'c'.repeat(64), createdMs: 1 });
      return place;
    };

    test('a backup is deleted at its end, and not before', async () => {
      const place = await openNew();
      const { created_ms: createdMs, expires_ms: expiresMs } = await backup(place);
      assert.equal(expiresMs, createdMs + 30 * DAY_MS);
      assert.equal(await sweepBackups(place, { nowMs: expiresMs - 1, ...KEEP }), 0);
      assert.equal((await keysOf(place)).length, 4);
      assert.equal(await sweepBackups(place, { nowMs: expiresMs, ...KEEP }), 1);
      assert.deepEqual([await keysOf(place), await rowsOf(place)], [[], []]);
    });

    test('a backup that was cut off is no backup, and is deleted once it cannot be running', async () => {
      const place = await openNew();
      const { id, created_ms: createdMs } = await backup(place);
      await place.objects.delete(`backups/${id}/manifest.json`);
      await place.database.kysely.updateTable('backup').set({ completed_ms: null }).execute();
      assert.deepEqual(await completeBackups(place.objects), []);
      assert.equal(await sweepBackups(place, { nowMs: createdMs + BACKUP_TIME_MAX_MS - 1, ...KEEP }), 0);
      assert.equal(await sweepBackups(place, { nowMs: createdMs + BACKUP_TIME_MAX_MS, ...KEEP }), 1);
      assert.deepEqual(await keysOf(place), []);
    });

    test('objects of a backup that no row names are deleted by their age', async () => {
      const place = await openNew();
      await backup(place);
      await place.database.kysely.deleteFrom('backup').execute();
      assert.equal(await sweepBackups(place, { nowMs: Date.now() + 29 * DAY_MS, ...KEEP }), 0);
      assert.equal(await sweepBackups(place, { nowMs: Date.now() + 31 * DAY_MS, ...KEEP }), 1);
      assert.deepEqual(await keysOf(place), []);
    });

    test('a backup that fails leaves no object and no row', async () => {
      const place = await openNew();
      const broken: ObjectStore = {
        ...place.objects,
        putStream: async (key, content, bound) => {
          if (key.includes('certificates.ndjson')) throw new Error('the place of objects is away');
          return place.objects.putStream(key, content, bound);
        },
      };
      await assert.rejects(backup(place, { objects: broken }), /is away/);
      assert.deepEqual([await keysOf(place), await rowsOf(place)], [[], []]);
    });

    test('a version that a row names and that is not there makes a backup fail', async () => {
      const place = await openNew();
      const { sdk_app_id: sdkAppId } = await place.database.kysely
        .selectFrom('application')
        .select('sdk_app_id')
        .executeTakeFirstOrThrow();
      await place.documents.deleteApplication(sdkAppId);
      await assert.rejects(backup(place), /version 2 of application \d+ is not in the place of documents/);
    });

    test('an application whose purge has begun is backed up without its versions, to be purged again', async () => {
      const place = await openNew();
      const { sdk_app_id: sdkAppId } = await place.database.kysely
        .selectFrom('application')
        .select('sdk_app_id')
        .executeTakeFirstOrThrow();
      const purge = { terminated_ms: 1, due_ms: 2, latest_ms: 3, started_ms: 2 };
      await place.database.kysely
        .insertInto('purge')
        .values({ sdk_app_id: sdkAppId, ...purge, completed_ms: null, backups_expire_ms: null })
        .execute();
      await place.documents.deleteApplication(sdkAppId);
      assert.deepEqual((await backup(place)).purging, [sdkAppId]);
    });

    test('of two processes one makes the backup that is due, and the next after the interval', async () => {
      const place = await openNew();
      let nowMs = Date.now();
      const passes = new EventTarget();
      const schedule = (holder: string): BackupScheduleOptions => ({
        ...place,
        keepDays: 30,
        intervalHours: 24,
        holder,
        now: () => nowMs,
        logger: createLogger('registry', 'silent'),
        onPass: () => passes.dispatchEvent(new Event('pass')),
        onFailure: () => assert.fail('a backup failed'),
        passEveryMs: 20,
      });
      const first = once(passes, 'pass');
      const running = [startBackups(schedule('one')), startBackups(schedule('other'))];
      await first;
      await once(passes, 'pass');
      assert.equal((await completeBackups(place.objects)).length, 1);
      nowMs += DAY_MS;
      while ((await completeBackups(place.objects)).length < 2) await once(passes, 'pass');
      nowMs += 30 * DAY_MS;
      while ((await completeBackups(place.objects)).length !== 1) await once(passes, 'pass');
      for (const one of running) await one.stop();
    });
  });
}
