import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inLargePieces } from '../src/insert-block.js';

test('a body goes out in the same bytes and in few pieces, however small its messages are', () => {
  const body = Array.from({ length: 10_000 }, (_, index) => Buffer.alloc(index % 700, index));
  const pieces = [...inLargePieces(body)];
  assert.ok(Buffer.concat(pieces).equals(Buffer.concat(body)));
  assert.ok(pieces.length <= 14, `${pieces.length} pieces`);
  assert.ok(pieces.every(({ length }) => length > 0));
});

test('an empty body has no pieces', () => {
  assert.deepEqual([...inLargePieces([])], []);
});
