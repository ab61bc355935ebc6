import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { SenderShares } from '../../src/limits/sender-shares.js';

/** Sends requests of one size until they are refused; the bytes it holds then. */
function fill(names: readonly string[], bytesMax: number, bytes: number): Map<string, number> {
  let held = 0;
  const shares = new SenderShares(() => bytesMax - held);
  const byName = new Map<string, number>();
  const full = new Set<string>();
  while (full.size < names.length) {
    for (const name of names) {
      try {
        shares.enter(name).hold(bytes);
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

test('one sender alone holds at most two thirds, several leave a part for the next', () => {
  assert.deepEqual([...fill(['a'], 3_000, 10)], [['a', 2_000]]);
  const three = fill(['a', 'b', 'c'], 7_000, 10);
  for (const bytes of three.values()) assert(Math.abs(bytes - 2_000) <= 20, String(bytes));
});

test('the only request of a sender is let in whatever its size', () => {
  const shares = new SenderShares(() => 10);
  const request = shares.enter('a');
  request.hold(1_000);
  const second = shares.enter('a');
  assert.throws(() => second.hold(1), HttpError);
  second.leave();
  request.hold(1_000);
  request.leave();
  assert.equal(shares.senders, 0);
});
