/* Uploads that are cut off: by a process that is killed, and by a server that is not there. */
import assert from 'node:assert/strict';
import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openBucketObjects } from '../../src/objects/bucket-objects.js';
import { openFolderObjects } from '../../src/objects/folder-objects.js';
import { collect, makeBucket, testClient } from './test-places.js';

test('a process killed within a put leaves no object, and what it wrote is swept', async (t) => {
  const path = await mkdtemp(join(tmpdir(), 'imscope-objects-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  const child = fork(fileURLToPath(new URL('endless-put.ts', import.meta.url)), [path]);
  await once(child, 'message');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const objects = await openFolderObjects(path);
  assert.deepEqual(await collect(objects.list('')), []);
  assert.equal(await objects.deleteUnfinished(Date.now() - 60_000), 0);
  assert.equal(await objects.deleteUnfinished(Date.now() + 60_000), 1);
  assert.deepEqual(await readdir(join(path, '.unfinished')), []);
});

test('an object that is written now is not swept, whatever the clock of the sweep says', async (t) => {
  const path = await mkdtemp(join(tmpdir(), 'imscope-objects-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  const objects = await openFolderObjects(path);
  async function* content(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('be');
    assert.equal((await readdir(join(path, '.unfinished'))).length, 1);
    assert.equal(await objects.deleteUnfinished(Date.now() + 60 * 86_400_000), 0);
    yield Buffer.from('fore');
  }
  assert.equal(await objects.putStream('exports/slow', content(), 10), 6);
  assert.equal(String(await objects.get('exports/slow')), 'before');
});

test('an upload to a bucket that was cut off is swept once it is old', async () => {
  const options = await makeBucket();
  const objects = openBucketObjects(options);
  const client = testClient(options);
  const target = { Bucket: options.bucket, Key: 'imscope/exports/cut-off' };
  await client.send(new CreateMultipartUploadCommand(target));
  assert.equal(await objects.deleteUnfinished(Date.now() - 60_000), 0);
  assert.equal(await objects.deleteUnfinished(Date.now() + 60_000), 1);
  assert.equal(await objects.deleteUnfinished(Date.now() + 60_000), 0);
  client.destroy();
  objects.close();
});

test('objects are readable by their owner alone', async (t) => {
  const path = await mkdtemp(join(tmpdir(), 'imscope-objects-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  const objects = await openFolderObjects(path);
  await objects.put('certificates/1400000001/apns', Buffer.from('content'));
  for (const [name, mode] of [
    ['certificates/1400000001/apns', 0o600],
    ['certificates/1400000001', 0o700],
    ['.link-key', 0o600],
  ] as const)
    assert.equal((await stat(join(path, name))).mode & 0o777, mode, name);
});

test('an error of a bucket that does not answer names no credentials', async () => {
  const options = { ...(await makeBucket()), endpoint: 'http://127.0.0.1:9' };
  const objects = openBucketObjects(options);
  await assert.rejects(objects.put('exports/one', Buffer.from('content')), (error) => {
    const shown = JSON.stringify(error, Object.getOwnPropertyNames(error));
    assert.ok(!shown.includes(options.secretAccessKey));
    return true;
  });
  objects.close();
});
