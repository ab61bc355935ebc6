import assert from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { hashToken } from '@imscope/access/tokens.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { startTokenFileSync } from '../src/applications/sync-token-file.js';
import { BACKENDS, openRegistry, type RegistryUnderTest } from './backends.js';

const READER = { name: 'reader', sha256: hashToken('a token'), scope: 'read', applications: 'all' };

for (const backend of BACKENDS) {
  test(`tokens and defaults of the file come and go with their lines, ${backend}`, async () => {
    const registry = await openRegistry(backend, 'token_file');
    const path = registry.env['REGISTRY_FILE'] ?? '';
    const file = JSON.parse(await readFile(path, 'utf8'));
    const sync = await startTokenFileSync({
      path,
      database: registry.state.database,
      logger: createLogger('registry', 'silent'),
      now: Date.now,
      checkEveryMs: 20,
    });
    try {
      await replace(path, {
        tokens: [...file.tokens, READER],
        application_defaults: { limit_per_second: 500 },
      });
      await until(async () => (await names(registry)).includes('reader'));
      assert.deepEqual(await entry(registry, 'defaults'), { kind: 'defaults', limit_per_second: 500 });
      const key = `token/${READER.sha256}`;
      assert.deepEqual(await entry(registry, key), { kind: 'token', ...READER });
      await replace(path, { tokens: 'malformed' });
      await replace(path, file);
      await until(async () => !(await names(registry)).includes('reader'));
      assert.equal(await entry(registry, key), null);
      assert.deepEqual(await entry(registry, 'defaults'), { kind: 'defaults' });
    } finally {
      await sync.stop();
      await registry.stop();
    }
  });
}

async function replace(path: string, content: object): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(content));
  await rename(`${path}.new`, path);
}

async function names(registry: RegistryUnderTest): Promise<string[]> {
  return (await registry.call('listTokens', {})).tokens.map(({ name }) => name);
}

async function entry(registry: RegistryUnderTest, key: string): Promise<unknown> {
  const row = await registry.state.database.kysely
    .selectFrom('entry')
    .select('entry')
    .where('entry_key', '=', key)
    .executeTakeFirst();
  return JSON.parse(row?.entry ?? 'null');
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 20_000;
  while (!(await isDone())) assert.ok(Date.now() < endMs, 'it did not happen within 20 s');
}
