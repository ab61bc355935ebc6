import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeCursor, encodeCursor } from '../src/questions/request-cursor.js';

const time = fc.integer({ min: 0, max: 4_102_444_800_000 });
const blockId = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const blockRow = fc.integer({ min: 0, max: 4_294_967_295 });
const cursor = fc
  .tuple(time, time, time, blockId, blockRow)
  .map(([fromMs, toMs, timeMs, blockId, blockRow]) => ({
    window: { fromMs, toMs },
    after: { timeMs, blockId, blockRow },
  }));

test('a cursor comes back as it went out, for its own question only', () => {
  fc.assert(
    fc.property(cursor, fc.string(), (place, question) => {
      const text = encodeCursor(place, question);
      assert.match(text, /^[\w-]+$/);
      assert.deepEqual(decodeCursor(text, question), place);
      assert.throws(() => decodeCursor(text, `${question}?`), { code: 'invalid_parameter' });
    }),
  );
});

test('text that the service did not issue is refused as a cursor', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 256 }), (text) => {
      assert.throws(() => decodeCursor(text, 'question'), { code: 'invalid_parameter' });
    }),
  );
});
