import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import type { EntryChange, RegistryEntry } from '@imscope/schemas/registry-entry.js';
import { RegistryCache, readRegistryCache } from '../src/registry-cache.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-cache-'));
after(() => rmSync(directory, { recursive: true }));

const GENERATION = 'one';
let count = 0;
let path: string;
beforeEach(() => {
  count += 1;
  path = join(directory, `cache-${count}`);
});

function application(sdkAppId: number): RegistryEntry {
  return { kind: 'application', sdk_app_id: sdkAppId, status: 'active', region: 'singapore' };
}

function changeOf(sdkAppId: number, revision: number, isDeleted = false): EntryChange {
  return { key: `application/${sdkAppId}`, revision, entry: isDeleted ? null : application(sdkAppId) };
}

async function writeCache(): Promise<RegistryCache> {
  const cache = new RegistryCache({
    path,
    entries: () => [application(1), application(2)],
    position: () => ({ generation: GENERATION, revision: 2 }),
    onFailure: (error) => assert.equal(error, undefined),
  });
  cache.replaced();
  await cache.flushed();
  return cache;
}

async function keysRead(): Promise<readonly [revision: number | undefined, changes: readonly unknown[]]> {
  const changes: EntryChange[] = [];
  const content = await readRegistryCache(path, (change) => changes.push(change));
  return [content?.position.revision, changes.map(({ key, entry }) => [key, entry !== null])];
}

test('what was written is read, changes after what was complete', async () => {
  const cache = await writeCache();
  cache.changed([changeOf(3, 3), changeOf(1, 4, true)], { generation: GENERATION, revision: 4 });
  await cache.flushed();
  assert.deepEqual(await keysRead(), [
    4,
    [
      ['application/1', true],
      ['application/2', true],
      ['application/3', true],
      ['application/1', false],
    ],
  ]);
});

test('a last line that was cut off is left out: the position before it counts', async () => {
  const cache = await writeCache();
  cache.changed([changeOf(3, 3)], { generation: GENERATION, revision: 3 });
  await cache.flushed();
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.slice(0, -5));
  const [revision] = await keysRead();
  assert.equal(revision, 2);
});

test('a changed byte, a strange line and a file that is not complete are damage', async () => {
  await writeCache();
  const text = readFileSync(path, 'utf8');
  const damaged = [
    text.replace('singapore', 'singapoor'),
    text.replace('imscope registry cache', 'something else'),
    text.split('\n').slice(0, 2).join('\n') + '\n',
    '',
  ];
  for (const one of damaged) {
    writeFileSync(path, one);
    await assert.rejects(
      readRegistryCache(path, () => undefined),
      /damaged|begin|complete/,
    );
  }
  writeFileSync(path, text);
  appendFileSync(path, 'a line of somebody else\n');
  await assert.rejects(
    readRegistryCache(path, () => undefined),
    /damaged/,
  );
});

test('no file is no damage', async () => {
  assert.equal(await readRegistryCache(path, () => undefined), undefined);
});

test('changes that outgrow the file make it be written again', async () => {
  const cache = await writeCache();
  for (let revision = 3; revision < 9_000; revision++) {
    cache.changed([changeOf(revision, revision)], { generation: GENERATION, revision });
    if (revision % 500 === 0) await cache.flushed();
  }
  await cache.flushed();
  assert.ok(readFileSync(path).length < 2 << 20, 'the file grew without a bound');
});

test('a disk that cannot be written is reported, and the next change tries again', async () => {
  const failures: unknown[] = [];
  const missing = join(directory, 'missing');
  const cache = new RegistryCache({
    path: join(missing, 'cache'),
    entries: () => [],
    position: () => ({ generation: GENERATION, revision: 1 }),
    onFailure: (error) => failures.push(error),
  });
  cache.replaced();
  await cache.flushed();
  assert.match(String(failures[0]), /ENOENT/);
});
