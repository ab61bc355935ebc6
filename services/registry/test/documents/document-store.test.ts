import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { transact } from '@imscope/state/transact.js';
import type { VersionDocument } from '../../src/documents/document-store.js';
import { DOCUMENT_STORES, insertApplication, versionOf } from './document-stores.js';

for (const [name, open] of Object.entries(DOCUMENT_STORES)) {
  void describe(name, async () => {
    const { database, documents, close } = await open();
    const write = (...versions: readonly VersionDocument[]) =>
      transact(database, (transaction) => documents.write(transaction, versions));

    test('a version is read as it was written', async () => {
      const sdkAppId = await insertApplication(database);
      await write(versionOf(sdkAppId, 1));
      assert.deepEqual(await documents.read({ sdkAppId, version: 1 }), versionOf(sdkAppId, 1));
    });

    test('a version that was written before a setting existed has its default', async () => {
      const sdkAppId = await insertApplication(database);
      const old = versionOf(sdkAppId, 1);
      const { interfaces: _absent, ...settings } = old.state.settings;
      const written = Object.assign({}, old.state, { settings });
      await write({ ...old, state: written });
      const read = await documents.read({ sdkAppId, version: 1 });
      assert.deepEqual(read?.state.settings, { ...settings, interfaces: [] });
    });

    test('a version of before later members is read with their defaults', async () => {
      const sdkAppId = await insertApplication(database);
      const version = versionOf(sdkAppId, 1);
      const { runbook_url: _runbook, links: _links, ...before } = version.state.details;
      // As an earlier version of the registry wrote it.
      await write({
        ...version,
        state: { ...version.state, details: before as typeof version.state.details },
      });
      const read = await documents.read({ sdkAppId, version: 1 });
      assert.deepEqual(read?.state.details, { ...before, runbook_url: '', links: [] });
    });

    test('a version that is not there is read as undefined', async () => {
      const sdkAppId = await insertApplication(database);
      assert.equal(await documents.read({ sdkAppId, version: 1 }), undefined);
    });

    test('versions are listed newest first, page by page, from the one in force downwards', async () => {
      const sdkAppId = await insertApplication(database);
      await write(...[1, 2, 3, 4, 5].map((version) => versionOf(sdkAppId, version)));
      const page = await documents.list(sdkAppId, { versionMax: 4, limit: 2 });
      assert.deepEqual(page, [
        { version: 4, author: 'ops', reason: 'version 4', created_at: '1970-01-01T00:00:04.000Z' },
        { version: 3, author: 'ops', reason: 'version 3', created_at: '1970-01-01T00:00:03.000Z' },
      ]);
      const next = await documents.list(sdkAppId, { versionMax: 2, limit: 10 });
      assert.deepEqual(
        next.map(({ version }) => version),
        [2, 1],
      );
    });

    test('versions below one are deleted, the others stay', async () => {
      const sdkAppId = await insertApplication(database);
      await write(...[1, 2, 3].map((version) => versionOf(sdkAppId, version)));
      assert.equal(await documents.deleteBelow({ sdkAppId, version: 3 }), 2);
      assert.equal(await documents.deleteBelow({ sdkAppId, version: 3 }), 0);
      assert.equal((await documents.list(sdkAppId, { versionMax: 3, limit: 10 })).length, 1);
    });

    test('all versions of an application are deleted, those of others stay', async () => {
      const [one, other] = [await insertApplication(database), await insertApplication(database)];
      await write(versionOf(one, 1), versionOf(one, 2), versionOf(other, 1));
      assert.equal(await documents.deleteApplication(one), 2);
      assert.equal(await documents.deleteApplication(one), 0);
      assert.ok((await documents.read({ sdkAppId: other, version: 1 })) !== undefined);
    });

    test('versions of more applications than a statement holds are written at once', async () => {
      const ids = [];
      for (let at = 0; at < 520; at++) ids.push(await insertApplication(database));
      await write(...ids.map((sdkAppId) => versionOf(sdkAppId, 1)));
      for (const sdkAppId of [ids[0] ?? 0, ids[519] ?? 0])
        assert.ok((await documents.read({ sdkAppId, version: 1 })) !== undefined);
    });

    test('a version whose change is undone is not in the way of the next change', async () => {
      const sdkAppId = await insertApplication(database);
      const undone = transact(database, async (transaction) => {
        await documents.write(transaction, [{ ...versionOf(sdkAppId, 2), reason: 'undone' }]);
        throw new Error('cut off');
      });
      await assert.rejects(undone, /cut off/);
      await write(versionOf(sdkAppId, 2));
      assert.deepEqual(await documents.read({ sdkAppId, version: 2 }), versionOf(sdkAppId, 2));
    });

    test('orphans in the way of an import are replaced, the other versions are written', async () => {
      const ids = [
        await insertApplication(database),
        await insertApplication(database),
        await insertApplication(database),
      ];
      const undone = transact(database, async (transaction) => {
        await documents.write(transaction, [{ ...versionOf(ids[1] ?? 0, 1), reason: 'undone' }]);
        throw new Error('cut off');
      });
      await assert.rejects(undone, /cut off/);
      await write(...ids.map((sdkAppId) => versionOf(sdkAppId, 1)));
      for (const sdkAppId of ids)
        assert.deepEqual(await documents.read({ sdkAppId, version: 1 }), versionOf(sdkAppId, 1));
    });

    test.after(close);
  });
}
