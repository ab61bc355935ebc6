import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inLargePieces } from '../src/store/insert-block.js';

test('a body goes out in the same bytes and in few pieces, however small its messages are', () => {
  const body = Array.from({ length: 10_000 }, (_, index) => Buffer.alloc(index % 700, index));
  const pieces = [...inLargePieces(body)];
  assert.ok(Buffer.concat(pieces).equals(Buffer.concat(body)));
  assert.ok(pieces.length <= 14, `${pieces.length} pieces`);
  assert.ok(pieces.every(({ length }) => length > 0));
});

test('large messages go out as they are, in their place among small ones', () => {
  const sizes = [1_000, 20_000, 300, 400, 8_192, 8_191, 100_000];
  const body = sizes.map((bytes, index) => Buffer.alloc(bytes, index + 1));
  const pieces = [...inLargePieces(body)];
  assert.ok(Buffer.concat(pieces).equals(Buffer.concat(body)));
  assert.deepEqual(
    pieces.map(({ length }) => length),
    [1_000, 20_000, 700, 8_192, 8_191, 100_000],
  );
  assert.equal(pieces[1], body[1], 'no copy');
});

test('an empty body has no pieces', () => {
  assert.deepEqual([...inLargePieces([])], []);
});
