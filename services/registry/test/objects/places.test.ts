/* What a folder and a bucket both do. The bucket is one of versitygw. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { ObjectTooLarge } from '../../src/objects/object-store.js';
import { collect, TEST_PLACES } from './test-places.js';

const MIB = 1024 * 1024;

for (const [name, open] of Object.entries(TEST_PLACES)) {
  void describe(name, async () => {
    const { objects, close } = await open();

    test('an object is read as it was put', async () => {
      const content = randomBytes(100_000);
      await objects.put('certificates/1400000001/apns', content);
      assert.deepEqual(await objects.get('certificates/1400000001/apns'), content);
    });

    test('a second put replaces the object', async () => {
      await objects.put('certificates/replaced', Buffer.from('first'));
      await objects.put('certificates/replaced', Buffer.from('second'));
      assert.equal(String(await objects.get('certificates/replaced')), 'second');
    });

    test('an object that is not there is read as undefined', async () => {
      assert.equal(await objects.get('certificates/none'), undefined);
      assert.equal(await objects.getStream('certificates/none'), undefined);
    });

    test('a deleted object is gone, and can be deleted again', async () => {
      await objects.put('exports/deleted', Buffer.from('content'));
      await objects.delete('exports/deleted');
      assert.equal(await objects.get('exports/deleted'), undefined);
      await objects.delete('exports/deleted');
    });

    test('a listing holds the objects of its prefix alone, in order, with their sizes', async () => {
      for (const key of ['listed/b', 'listed/a/2', 'listed/a/1', 'listing'])
        await objects.put(key, Buffer.from(key));
      const listed = await collect(objects.list('listed/'));
      assert.deepEqual(
        listed.map(({ key, byteCount }) => [key, byteCount]),
        [
          ['listed/a/1', 10],
          ['listed/a/2', 10],
          ['listed/b', 8],
        ],
      );
    });

    test('a listing says when objects were put', async () => {
      await objects.put('dated/now', Buffer.from('content'));
      const [listed] = await collect(objects.list('dated/'));
      assert.ok(Math.abs((listed?.modifiedMs ?? 0) - Date.now()) < 60_000);
    });

    test('a stream of several parts is read as it was put', async () => {
      const chunks = Array.from({ length: 19 }, () => randomBytes(MIB));
      const byteCount = await objects.putStream('exports/parts', from(chunks), 20 * MIB);
      assert.equal(byteCount, 19 * MIB);
      const stream = await objects.getStream('exports/parts');
      assert.ok(stream !== undefined);
      const read = Buffer.concat(await collect(stream));
      assert.ok(read.equals(Buffer.concat(chunks)));
    });

    test('an empty stream makes an empty object', async () => {
      assert.equal(await objects.putStream('exports/empty', from([]), 10), 0);
      assert.equal((await objects.get('exports/empty'))?.byteLength, 0);
    });

    test('a stream beyond its bound leaves no object and no unfinished upload', async () => {
      const chunks = Array.from({ length: 12 }, () => randomBytes(MIB));
      const put = objects.putStream('exports/large', from(chunks), 10 * MIB);
      await assert.rejects(put, ObjectTooLarge);
      assert.equal(await objects.getStream('exports/large'), undefined);
      assert.equal(await objects.deleteUnfinished(Date.now() + 60_000), 0);
    });

    test('a stream that fails leaves the object before it', async () => {
      await objects.put('exports/failing', Buffer.from('before'));
      await assert.rejects(objects.putStream('exports/failing', failing(), 100 * MIB), /the source failed/);
      assert.equal(String(await objects.get('exports/failing')), 'before');
    });

    test('an object larger than memory allows is not read into memory', async () => {
      const chunks = Array.from({ length: 9 }, () => Buffer.alloc(MIB));
      await objects.putStream('exports/nine', from(chunks), 9 * MIB);
      await assert.rejects(objects.get('exports/nine'), ObjectTooLarge);
    });

    for (const key of [
      '../outside',
      'a/../b',
      '/absolute',
      'a//b',
      'a/',
      '',
      '.hidden',
      'a\\b',
      'a/.b',
      'a\0b',
    ]) {
      test(`the key ${JSON.stringify(key)} is refused`, async () => {
        await assert.rejects(objects.put(key, Buffer.from('content')), /is not allowed/);
        await assert.rejects(objects.get(key), /is not allowed/);
        await assert.rejects(objects.delete(key), /is not allowed/);
      });
    }

    test.after(close);
  });
}

async function* from(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function* failing(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < 10; at++) yield randomBytes(MIB);
  throw new Error('the source failed');
}
