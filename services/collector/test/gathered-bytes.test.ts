import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GatheredBytes } from '../src/bodies/gathered-bytes.js';

test('pieces of any size come out as they went in', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 0, max: 100_000 }).map((size) => new Uint8Array(size).fill(size % 256)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const gathered = new GatheredBytes();
      for (const each of pieces) gathered.add(Buffer.from(each));
      const expected = Buffer.concat(pieces);
      assert.equal(gathered.length, expected.length);
      assert(gathered.whole().equals(expected));
    }),
  );
});

test('a million single bytes take the memory of a few large pieces', () => {
  const gathered = new GatheredBytes();
  const byte = Buffer.from('a');
  for (let each = 0; each < 1_000_000; each++) gathered.add(byte);
  assert(gathered.pieces < 40, String(gathered.pieces));
  assert.equal(gathered.whole().toString(), 'a'.repeat(1_000_000));
});
