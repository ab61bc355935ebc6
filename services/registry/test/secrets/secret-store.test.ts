/* Secrets as rows of SQLite and of MariaDB, certificates as objects of a folder. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { transact } from '@imscope/state/transact.js';
import { collect, TEST_PLACES } from '../objects/test-places.js';
import { REGISTRY_DATABASES } from '../registry-databases.js';
import { createSecretStore } from '../../src/secrets/create-secret-store.js';
import { checkMasterKeys } from '../../src/secrets/data-keys.js';
import { CannotOpen } from '../../src/secrets/envelope.js';
import { parseMasterKeys } from '../../src/secrets/master-keys.js';
import { deleteCertificates, sweepCertificates } from '../../src/secrets/sweep-certificates.js';

const NOW_MS = Date.UTC(2026, 10, 29);
const HOUR_MS = 3_600_000;
const KEYS = parseMasterKeys(`one:${randomBytes(32).toString('base64')}`, 'test');
const SIGNING_KEY = 'callback/signing_key';

let applications = 1_400_000_000;
const newApplication = (): number => ++applications;

for (const [dialect, openDatabase] of Object.entries(REGISTRY_DATABASES)) {
  void describe(dialect, async () => {
    const { database, close } = await openDatabase();
    const place = await TEST_PLACES.folder();
    const { objects } = place;
    const secrets = createSecretStore(KEYS, objects);
    const db = database.kysely;
    const put = (sdkAppId: number, value: string, name = SIGNING_KEY) =>
      transact(database, (transaction) => secrets.put(transaction, [{ sdkAppId, name, value }], NOW_MS));
    const putCertificate = (sdkAppId: number, content: Buffer, password?: string) =>
      transact(database, (transaction) =>
        secrets.putCertificate(transaction, { sdkAppId, certificateId: 'apns', content, password }, NOW_MS),
      );

    test('a secret is shown by its name, its master key and its time', async () => {
      const sdkAppId = newApplication();
      const summary = { name: SIGNING_KEY, key_id: 'one', set_at: '2026-11-29T00:00:00.000Z' };
      assert.deepEqual(await put(sdkAppId, 'value'), [summary]);
      assert.deepEqual(await secrets.list(db, sdkAppId), [summary]);
    });

    test('a secret is read as it was put', async () => {
      const sdkAppId = newApplication();
      await put(sdkAppId, 'välue');
      assert.equal(await secrets.open(db, sdkAppId, SIGNING_KEY), 'välue');
    });

    test('a value is verified against the one in force', async () => {
      const sdkAppId = newApplication();
      await put(sdkAppId, 'before');
      await put(sdkAppId, 'after');
      const verify = (value: string) => secrets.verify(db, { sdkAppId, name: SIGNING_KEY, value });
      assert.equal(await verify('after'), true);
      assert.equal(await verify('before'), false);
    });

    test('a secret that was not set verifies as false', async () => {
      const unknown = { sdkAppId: newApplication(), name: SIGNING_KEY, value: '' };
      assert.equal(await secrets.verify(db, unknown), false);
    });

    test('secrets of more applications than a statement holds are put at once', async () => {
      const all = Array.from({ length: 1_200 }, () => ({
        sdkAppId: newApplication(),
        name: 'application_key',
        value: randomBytes(16).toString('hex'),
      }));
      await transact(database, (transaction) => secrets.put(transaction, all, NOW_MS));
      for (const secret of [all[0], all[600], all[1_199]]) {
        assert.ok(secret !== undefined);
        assert.equal(await secrets.verify(db, secret), true);
      }
    });

    test('a sealed value that is moved to another application does not open there', async () => {
      const [from, to] = [newApplication(), newApplication()];
      await put(from, 'value');
      await put(to, 'other');
      const row = await db.selectFrom('secret').selectAll().where('sdk_app_id', '=', from).executeTakeFirst();
      const sealed = row?.sealed ?? '';
      await db.updateTable('secret').set({ sealed }).where('sdk_app_id', '=', to).execute();
      await assert.rejects(secrets.open(db, to, SIGNING_KEY), CannotOpen);
    });

    test('a data key that is moved to another application does not open there', async () => {
      const [from, to] = [newApplication(), newApplication()];
      await put(from, 'value');
      await put(to, 'other');
      const row = await db
        .selectFrom('data_key')
        .selectAll()
        .where('sdk_app_id', '=', from)
        .executeTakeFirst();
      const wrapped = row?.wrapped_key ?? '';
      await db.updateTable('data_key').set({ wrapped_key: wrapped }).where('sdk_app_id', '=', to).execute();
      await assert.rejects(secrets.open(db, to, SIGNING_KEY), CannotOpen);
      await db.deleteFrom('data_key').where('sdk_app_id', '=', to).execute();
    });

    test('a sealed value that is moved to another field does not open there', async () => {
      const sdkAppId = newApplication();
      await put(sdkAppId, 'value');
      const name = 'push/apns/app_secret';
      await db.updateTable('secret').set({ name }).where('sdk_app_id', '=', sdkAppId).execute();
      await assert.rejects(secrets.open(db, sdkAppId, name), CannotOpen);
    });

    test('removed secrets are gone', async () => {
      const sdkAppId = newApplication();
      await put(sdkAppId, 'value');
      const removed = await transact(database, (transaction) =>
        secrets.remove(transaction, sdkAppId, [SIGNING_KEY, 'push/none/app_secret']),
      );
      assert.equal(removed, 1);
      assert.equal(await secrets.open(db, sdkAppId, SIGNING_KEY), undefined);
    });

    test('a certificate is read as it was put, with its password', async () => {
      const sdkAppId = newApplication();
      const content = randomBytes(3_000);
      await putCertificate(sdkAppId, content, 'pässword');
      const read = await secrets.openCertificate(db, sdkAppId, 'apns');
      assert.deepEqual(read, { content, password: 'pässword' });
    });

    test('a certificate without a password is read without one', async () => {
      const sdkAppId = newApplication();
      await putCertificate(sdkAppId, Buffer.from('content'));
      const read = await secrets.openCertificate(db, sdkAppId, 'apns');
      assert.deepEqual(read, { content: Buffer.from('content'), password: undefined });
    });

    test('an older object of a certificate does not open in the place of the one in force', async () => {
      const sdkAppId = newApplication();
      await putCertificate(sdkAppId, Buffer.from('before'));
      const [old] = await collect(objects.list(`certificates/${sdkAppId}/`));
      await putCertificate(sdkAppId, Buffer.from('after'));
      const row = await db
        .selectFrom('secret')
        .selectAll()
        .where('sdk_app_id', '=', sdkAppId)
        .executeTakeFirst();
      const bytes = await objects.get(old?.key ?? '');
      assert.ok(bytes !== undefined);
      await objects.put(row?.object_key ?? '', bytes);
      await assert.rejects(secrets.openCertificate(db, sdkAppId, 'apns'), CannotOpen);
    });

    test('a certificate whose change is undone leaves the one before in force', async () => {
      const sdkAppId = newApplication();
      await putCertificate(sdkAppId, Buffer.from('before'));
      const undone = transact(database, async (transaction) => {
        const certificate = { sdkAppId, certificateId: 'apns', content: Buffer.from('after') };
        await secrets.putCertificate(transaction, { ...certificate, password: undefined }, NOW_MS);
        throw new Error('undone');
      });
      await assert.rejects(undone, /undone/);
      const read = await secrets.openCertificate(db, sdkAppId, 'apns');
      assert.equal(String(read?.content), 'before');
    });

    test('objects that no row names are swept after an hour, those in force stay', async () => {
      const sdkAppId = newApplication();
      await putCertificate(sdkAppId, Buffer.from('before'));
      await putCertificate(sdkAppId, Buffer.from('after'));
      const prefix = `certificates/${sdkAppId}/`;
      await sweepCertificates(db, objects, Date.now());
      assert.equal((await collect(objects.list(prefix))).length, 2);
      await sweepCertificates(db, objects, Date.now() + 2 * HOUR_MS);
      assert.equal((await collect(objects.list(prefix))).length, 1);
      const read = await secrets.openCertificate(db, sdkAppId, 'apns');
      assert.equal(String(read?.content), 'after');
    });

    test('all certificates of an application are deleted, those of others stay', async () => {
      const [one, other] = [newApplication(), newApplication()];
      await putCertificate(one, Buffer.from('content'));
      await putCertificate(other, Buffer.from('content'));
      assert.equal(await deleteCertificates(objects, one), 1);
      assert.equal(await deleteCertificates(objects, one), 0);
      assert.equal((await collect(objects.list(`certificates/${other}/`))).length, 1);
    });

    test('a start with another key under the same id is refused, by the id', async () => {
      await put(newApplication(), 'value');
      const wrong = parseMasterKeys(`one:${randomBytes(32).toString('base64')}`, 'test');
      await assert.rejects(checkMasterKeys(db, wrong), /master key one/);
      const missing = parseMasterKeys(`two:${randomBytes(32).toString('base64')}`, 'test');
      await assert.rejects(checkMasterKeys(db, missing), /master key one is missing/);
      await checkMasterKeys(db, KEYS);
    });

    test.after(async () => {
      await close();
      await place.close();
    });
  });
}
