/* The restore drill: what a registry keeps comes back from a backup, and what was purged does not. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { acquireLease } from '@imscope/state/leases.js';
import { createBackup } from '../../src/backup/create-backup.js';
import { assertNotRestoring } from '../../src/backup/restore-marker.js';
import { restoreBackup, type RestoreServices } from '../../src/backup/restore-backup.js';
import { putTombstone } from '../../src/lifecycle/tombstones.js';
import type { RegistryTables } from '../../src/rows/tables.js';
import { versionOf } from '../documents/document-stores.js';
import { addApplication, type Kept, type Place, PLACES } from './places.js';

const NOW_MS = Date.UTC(2026, 10, 29);
const NEWEST = { backup: 'newest', dryRun: false, replace: false };

/** Tables that come back as they were; the others are those of finish-restore.ts and of positions. */
const KEPT_TABLES = [
  'application',
  'slo_target',
  'code_override',
  'token',
  'data_key',
  'secret',
] as const satisfies readonly (keyof RegistryTables)[];

async function rowsOf({ database }: Kept): Promise<Record<string, unknown>> {
  const all: Record<string, unknown[]> = {};
  for (const table of KEPT_TABLES) {
    const rows = await database.kysely.selectFrom(table).selectAll().execute();
    all[table] = rows.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
  }
  return all;
}

function services(place: Place, { database, documents }: Kept): RestoreServices {
  return { database, documents, objects: place.objects, purgeWithinMs: 86_400_000, now: () => NOW_MS };
}

async function backup(place: Place, nowMs = NOW_MS) {
  return createBackup({ ...place, keepDays: 30, now: () => nowMs });
}

const token = (digit: string): string => digit.repeat(64);

for (const [name, open] of Object.entries(PLACES)) {
  void describe(name, async () => {
    const places: Place[] = [];
    after(async () => {
      for (const place of places) await place.close();
    });
    const openNew = async (): Promise<Place> => {
      const place = await open();
      places.push(place);
      return place;
    };
    const filled = async (): Promise<{ place: Place; ids: readonly [number, number] }> => {
      const place = await openNew();
      const ids = [
        await addApplication(place, { versions: 3, token: token('a'), createdMs: NOW_MS - 5_000 }),
        await addApplication(place, { versions: 1, token: token('b'), createdMs: NOW_MS - 4_000 }),
      ] as const;
      return { place, ids };
    };

    test('APPID, UIN, tokens, quotas, secrets and documents come back as they were', async () => {
      const { place, ids } = await filled();
      const before = await rowsOf(place);
      const manifest = await backup(place);
      assert.deepEqual([manifest.rows['application'], manifest.documents, manifest.certificates], [2, 4, 2]);
      const target = await place.openEmpty();
      const report = await restoreBackup(services(place, target), NEWEST);
      assert.deepEqual([report.purged, report.missingCertificates], [[], []]);
      assert.deepEqual(await rowsOf(target), before);
      for (const [sdkAppId, versions] of [
        [ids[0], 3],
        [ids[1], 1],
      ] as const)
        for (let version = 1; version <= versions; version++)
          assert.deepEqual(await target.documents.read({ sdkAppId, version }), versionOf(sdkAppId, version));
      const { kysely } = target.database;
      assert.equal(await place.secrets.open(kysely, ids[0], 'application_key'), `key of ${ids[0]}`);
      const certificate = await place.secrets.openCertificate(kysely, ids[1], 'apns');
      assert.equal(certificate?.content.toString(), `certificate of ${ids[1]}`);
      const { app_id: appId, uin } = await kysely
        .selectFrom('application')
        .select(['app_id', 'uin'])
        .where('sdk_app_id', '=', ids[0])
        .executeTakeFirstOrThrow();
      assert.deepEqual([appId, uin], [1_250_000_000 + ids[0], 3_000_000_000 + ids[0]]);
    });

    test('an application that was purged after the backup does not come back', async () => {
      const { place, ids } = await filled();
      const [purged, other] = ids;
      await backup(place);
      await putTombstone(place.objects, { sdkAppId: purged, purgedMs: NOW_MS + 1_000 });
      const target = await place.openEmpty();
      const report = await restoreBackup(services(place, target), NEWEST);
      assert.deepEqual(report.purged, [purged]);
      const { kysely } = target.database;
      const rows = await rowsOf(target);
      assert.ok(!JSON.stringify(rows).includes(String(purged)), JSON.stringify(rows));
      assert.equal(await target.documents.read({ sdkAppId: purged, version: 3 }), undefined);
      const audit = await kysely
        .selectFrom('audit')
        .select('reason')
        .where('sdk_app_id', '=', purged)
        .execute();
      assert.deepEqual(audit, [{ reason: '' }]);
      const entry = await kysely
        .selectFrom('entry')
        .select('entry')
        .where('entry_key', '=', `application/${purged}`)
        .executeTakeFirstOrThrow();
      assert.equal(entry.entry, null);
      const keys: string[] = [];
      for await (const { key } of place.objects.list(`certificates/${purged}/`)) keys.push(key);
      assert.deepEqual(keys, []);
      const open = await kysely
        .selectFrom('purge')
        .select('completed_ms')
        .where('sdk_app_id', '=', purged)
        .execute();
      assert.deepEqual(open, [{ completed_ms: null }]);
      assert.ok((await target.documents.read({ sdkAppId: other, version: 1 })) !== undefined);
    });

    test('an application that was created after its SDKAppID was purged comes back', async () => {
      const { place, ids } = await filled();
      await putTombstone(place.objects, { sdkAppId: ids[0], purgedMs: NOW_MS - 10_000 });
      await backup(place);
      const target = await place.openEmpty();
      assert.deepEqual((await restoreBackup(services(place, target), NEWEST)).purged, []);
      assert.deepEqual(await rowsOf(target), await rowsOf(place));
    });

    test('a restore that is cut off at any part is done by running it again; until then no registry starts', async () => {
      const { place, ids } = await filled();
      await backup(place);
      await putTombstone(place.objects, { sdkAppId: ids[0], purgedMs: NOW_MS });
      const whole = await place.openEmpty();
      const parts: string[] = [];
      await restoreBackup({ ...services(place, whole), checkpoint: (part) => parts.push(part) }, NEWEST);
      assert.ok(parts.length >= 6);
      const target = await place.openEmpty();
      for (const at of parts.keys()) {
        let seen = 0;
        const checkpoint = (part: string): void => {
          if (seen++ === at) throw new Error(`cut off after ${part}`);
        };
        await assert.rejects(
          restoreBackup({ ...services(place, target), checkpoint }, NEWEST),
          /cut off after/,
        );
        await assert.rejects(assertNotRestoring(target.database), /a restore of backup .* was cut off/);
      }
      await restoreBackup(services(place, target), NEWEST);
      await assertNotRestoring(target.database);
      assert.deepEqual(await rowsOf(target), await rowsOf(whole));
      assert.equal(await target.documents.read({ sdkAppId: ids[0], version: 1 }), undefined);
      assert.deepEqual(await target.documents.read({ sdkAppId: ids[1], version: 1 }), versionOf(ids[1], 1));
    });

    test('a database that is not empty is left alone, unless it is to be replaced', async () => {
      const { place, ids } = await filled();
      await backup(place);
      await place.database.kysely.updateTable('application').set({ uin: 1 }).execute();
      await assert.rejects(restoreBackup(services(place, place), NEWEST), /is not empty \(table .*--replace/);
      await restoreBackup(services(place, place), { ...NEWEST, replace: true });
      const uins = await place.database.kysely
        .selectFrom('application')
        .select('uin')
        .orderBy('uin')
        .execute();
      assert.deepEqual(
        uins,
        ids.map((id) => ({ uin: 3_000_000_000 + id })),
      );
    });

    test('a database that a registry uses is left alone', async () => {
      const { place } = await filled();
      await backup(place);
      const lease = { name: 'registry-lifecycle', holder: 'a', termMs: 60_000, nowMs: NOW_MS };
      await acquireLease(place.database, lease);
      await assert.rejects(
        restoreBackup(services(place, place), { ...NEWEST, replace: true }),
        /a registry uses .*registry-lifecycle/,
      );
    });

    test('a dry run names what would be purged again, and changes nothing', async () => {
      const { place, ids } = await filled();
      await backup(place);
      await putTombstone(place.objects, { sdkAppId: ids[0], purgedMs: NOW_MS });
      const target = await place.openEmpty();
      const report = await restoreBackup(services(place, target), { ...NEWEST, dryRun: true });
      assert.deepEqual(report.purged, [ids[0]]);
      const tables = await target.database.kysely.introspection.getTables();
      assert.deepEqual(tables, []);
    });

    test('a file that is not what was written is found before anything is changed', async () => {
      const { place } = await filled();
      const { files } = await backup(place);
      const target = await place.openEmpty();
      for (const { key } of Object.values(files)) {
        const content = await place.objects.get(key);
        assert.ok(content !== undefined);
        const damaged = Buffer.from(content);
        damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 1;
        for (const bad of [damaged, content.subarray(0, -1), undefined]) {
          if (bad === undefined) await place.objects.delete(key);
          else await place.objects.put(key, bad);
          await assert.rejects(restoreBackup(services(place, target), NEWEST), /restore another backup/);
        }
        await place.objects.put(key, content);
      }
      assert.deepEqual(await target.database.kysely.introspection.getTables(), []);
    });

    test('a certificate whose object is gone is named', async () => {
      const { place, ids } = await filled();
      await backup(place);
      for await (const { key } of place.objects.list(`certificates/${ids[0]}/`))
        await place.objects.delete(key);
      const report = await restoreBackup(services(place, await place.openEmpty()), NEWEST);
      assert.equal(report.missingCertificates.length, 1);
      assert.match(report.missingCertificates[0] ?? '', new RegExp(`^certificates/${ids[0]}/apns-`));
    });

    test('revisions after a restore are above all that were distributed before', async () => {
      const { place } = await filled();
      await backup(place);
      const target = await place.openEmpty();
      await restoreBackup(services(place, target), NEWEST);
      const first = await revisions(target);
      await restoreBackup(services(place, target), { ...NEWEST, replace: true });
      assert.ok(Math.min(...first) > 1_000_000_000);
      assert.equal(new Set(first).size, 4);
      const counter = await target.database.kysely
        .selectFrom('counter')
        .select('value')
        .where('name', '=', 'entry')
        .executeTakeFirstOrThrow();
      assert.equal(counter.value, Math.max(...(await revisions(target))));
    });
  });
}

async function revisions({ database }: Kept): Promise<number[]> {
  const rows = await database.kysely.selectFrom('entry').select('revision').execute();
  return rows.map(({ revision }) => revision);
}
