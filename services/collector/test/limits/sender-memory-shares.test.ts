import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { SenderMemoryShares } from '../../src/limits/sender-memory-shares.js';

/** Begins requests of one size until every sender is refused; returns the bytes each has reserved. */
function fill(names: readonly string[], bytesMax: number, bytes: number): Map<string, number> {
  let held = 0;
  const shares = new SenderMemoryShares(() => bytesMax - held);
  const byName = new Map<string, number>();
  const full = new Set<string>();
  while (full.size < names.length) {
    for (const name of names) {
      try {
        shares.begin(name).reserve(bytes);
        held += bytes;
        byName.set(name, (byName.get(name) ?? 0) + bytes);
      } catch (error) {
        assert(error instanceof HttpError);
        assert.equal(error.code, 'unavailable');
        full.add(name);
      }
    }
  }
  return byName;
}

test('one sender alone reserves at most two thirds, several leave a part free for the next', () => {
  assert.deepEqual([...fill(['a'], 3_000, 10)], [['a', 2_000]]);
  const three = fill(['a', 'b', 'c'], 7_000, 10);
  for (const bytes of three.values()) assert(Math.abs(bytes - 2_000) <= 20, String(bytes));
});

test('the only request of a sender is accepted whatever its size', () => {
  const shares = new SenderMemoryShares(() => 10);
  const request = shares.begin('a');
  request.reserve(1_000);
  const second = shares.begin('a');
  assert.throws(() => second.reserve(1), HttpError);
  second.release();
  request.reserve(1_000);
  request.release();
  assert.equal(shares.senders, 0);
});
