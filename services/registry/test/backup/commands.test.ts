/* The drill as an operator runs it: processes, settings, the API before and after. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { testMysql } from '@imscope/scripts/stack/test-databases.js';
import { BACKENDS, openRegistry, type RegistryUnderTest } from '../backends.js';
import { newMongoUrl } from '../documents/document-stores.js';
import { newApplication } from '../new-application.js';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

async function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((resolve) => {
    const node = [...process.execArgv.filter((argument) => !argument.startsWith('--test')), MAIN, ...args];
    const environment = { PATH: process.env['PATH'] ?? '', ...env };
    execFile(process.execPath, node, { env: environment }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** The settings of the registry under test, with another, empty database. */
async function emptyPlace(
  registry: RegistryUnderTest,
  backend: (typeof BACKENDS)[number],
): Promise<{ env: Readonly<Record<string, string>>; remove(): Promise<void> }> {
  if (backend === 'embedded') {
    const dir = mkdtempSync(join(tmpdir(), 'imscope-restored-'));
    return {
      env: { ...registry.env, DATABASE_URL: `sqlite:${join(dir, 'registry.db')}` },
      remove: async () => rmSync(dir, { recursive: true, force: true }),
    };
  }
  const { url, password, drop } = await testMysql('restored');
  return {
    env: { ...registry.env, DATABASE_URL: url, DATABASE_PASSWORD: password, MONGO_URL: await newMongoUrl() },
    remove: drop,
  };
}

for (const backend of BACKENDS)
  test(`${backend}: backup and restore are commands, and a registry answers from what was restored`, async (t) => {
    const registry = await openRegistry(backend, 'commands');
    t.after(async () => registry.stop());
    const ids = [1_400_000_001, 1_400_000_002];
    for (const sdkAppId of ids) await registry.call('createApplication', { body: newApplication(sdkAppId) });
    const before = await registry.send('/v1/registry/applications/1400000002');
    const application: unknown = await before.json();

    const made = await run(['backup'], registry.env);
    assert.equal(made.code, 0, made.stderr);
    const id = /^backup (\S+): 2 applications, 2 versions/.exec(made.stdout)?.[1] ?? '';
    const place = await emptyPlace(registry, backend);
    t.after(async () => place.remove());
    const rehearsed = await run(['restore', id, '--dry-run'], place.env);
    assert.match(
      rehearsed.stdout,
      /checksums are right\n2 applications, 2 versions\n.*nothing was changed\n/s,
    );
    const restored = await run(['restore', 'newest'], place.env);
    assert.equal(restored.code, 0, restored.stderr);
    assert.match(restored.stdout, /restored: start the registry/);

    const again = await run(['restore', 'newest'], place.env);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /^restore: .* is not empty \(table .*\): give --replace/);

    const other = await openRegistry(backend, 'restored', { env: place.env });
    t.after(async () => other.stop());
    const answer = await other.send('/v1/registry/applications/1400000002');
    assert.deepEqual(await answer.json(), application);
    assert.equal(answer.headers.get('etag'), before.headers.get('etag'));
  });

test('a wrong argument or setting ends a command with code 2, and names what is allowed', async () => {
  const wrong = await run(['restore', '--dry-run'], {});
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /give the id of a backup or newest/);
  const unset = await run(['backup'], { DATABASE_URL: 'sqlite:/nowhere/registry.db' });
  assert.equal(unset.code, 2);
  assert.match(unset.stderr, /neither OBJECTS_DIR nor COS_BUCKET is set/);
});

test('a backup that does not exist is named with those that do', async (t) => {
  const registry = await openRegistry('embedded', 'missing');
  t.after(async () => registry.stop());
  const missing = await run(['restore', '20260101t000000z-00000000'], registry.env);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /no complete backup "20260101t000000z-00000000": give newest, or one of none/);
});
