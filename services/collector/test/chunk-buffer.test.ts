import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChunkBuffer } from '../src/bodies/chunk-buffer.js';

test('chunks of any size are concatenated in order', () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 0, max: 100_000 }).map((size) => new Uint8Array(size).fill(size % 256)),
  );
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 60 }), (chunks) => {
      const buffer = new ChunkBuffer();
      for (const each of chunks) buffer.add(Buffer.from(each));
      const expected = Buffer.concat(chunks);
      assert.equal(buffer.length, expected.length);
      assert(buffer.concat().equals(expected));
    }),
  );
});

test('a million single bytes are kept in fewer than 40 buffers', () => {
  const buffer = new ChunkBuffer();
  const byte = Buffer.from('a');
  for (let each = 0; each < 1_000_000; each++) buffer.add(byte);
  assert(buffer.chunks < 40, String(buffer.chunks));
  assert.equal(buffer.concat().toString(), 'a'.repeat(1_000_000));
});
