import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { installErrorAnswers } from '@imscope/runtime/http-errors.js';
import { createLogger } from '@imscope/runtime/logger.js';
import Fastify from 'fastify';
import { openBucketObjects } from '../../src/objects/bucket-objects.js';
import { type FolderObjects, openFolderObjects } from '../../src/objects/folder-objects.js';
import { addSignedObjectRoute } from '../../src/objects/signed-object-route.js';
import { makeBucket } from './test-places.js';

const NOW_MS = Date.UTC(2026, 10, 29, 12);
const VALID_MS = 300_000;
const KEY = 'exports/one.ndjson.gz';

test('a signed link of a folder gives the object to whoever has it', async (t) => {
  const { url, link } = await served(t);
  const answer = await fetch(url + link);
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), 'content');
  assert.equal(answer.headers.get('content-disposition'), 'attachment; filename="one.ndjson.gz"');
});

test('a signed link of a folder ends', async (t) => {
  const { url, link } = await served(t, () => NOW_MS + VALID_MS);
  assert.equal((await fetch(url + link)).status, 403);
});

test('a link with another end is refused', async (t) => {
  const { url, link } = await served(t);
  const changed = link.replace(/expires=\d+/, `expires=${NOW_MS + 2 * VALID_MS}`);
  assert.equal((await fetch(url + changed)).status, 403);
});

test('a link of one object does not give another', async (t) => {
  const { url, link, objects } = await served(t);
  await objects.put('exports/two.ndjson.gz', Buffer.from('other'));
  assert.equal((await fetch(url + link.replace('one', 'two'))).status, 403);
});

test('a link that names a file outside the folder is refused', async (t) => {
  const { url, link } = await served(t);
  const outside = link.replace(KEY, 'exports/..%2f..%2f.link-key');
  assert.equal((await fetch(url + outside)).status, 403);
});

test('a link of a deleted object says that it is gone', async (t) => {
  const { url, link, objects } = await served(t);
  await objects.delete(KEY);
  assert.equal((await fetch(url + link)).status, 404);
});

test('links stay valid over a restart', async (t) => {
  const path = await mkdtemp(join(tmpdir(), 'imscope-objects-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  const link = await (await openFolderObjects(path)).signedUrl(KEY, { nowMs: NOW_MS, validMs: VALID_MS });
  const { searchParams } = new URL(link, 'http://localhost');
  const parts = {
    expiresMs: Number(searchParams.get('expires')),
    signature: searchParams.get('signature') ?? '',
  };
  assert.ok((await openFolderObjects(path)).isSigned(KEY, parts, NOW_MS));
});

test('a signed link of a bucket gives the object without credentials', async () => {
  const objects = openBucketObjects(await makeBucket());
  await objects.put(KEY, Buffer.from('content'));
  const answer = await fetch(await objects.signedUrl(KEY, { nowMs: Date.now(), validMs: VALID_MS }));
  assert.equal(await answer.text(), 'content');
  objects.close();
});

test('a signed link of a bucket ends', async () => {
  const objects = openBucketObjects(await makeBucket());
  await objects.put(KEY, Buffer.from('content'));
  const link = await objects.signedUrl(KEY, { nowMs: Date.now() - VALID_MS - 1_000, validMs: VALID_MS });
  const answer = await fetch(link);
  assert.equal(answer.status, 403);
  await answer.arrayBuffer();
  objects.close();
});

async function served(
  t: TestContext,
  now = () => NOW_MS,
): Promise<{ url: string; link: string; objects: FolderObjects }> {
  const path = await mkdtemp(join(tmpdir(), 'imscope-objects-'));
  const objects = await openFolderObjects(path);
  await objects.put(KEY, Buffer.from('content'));
  const app = Fastify();
  installErrorAnswers(app, createLogger('test', 'error'));
  addSignedObjectRoute(app, objects, now);
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.after(async () => {
    await app.close();
    await rm(path, { recursive: true, force: true });
  });
  const { port } = app.server.address() as AddressInfo;
  const link = await objects.signedUrl(KEY, { nowMs: NOW_MS, validMs: VALID_MS });
  return { url: `http://127.0.0.1:${port}`, link, objects };
}
