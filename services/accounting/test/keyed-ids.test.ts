import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKeyedBoot, keyedBoot } from '@imscope/schemas/batch-headers.js';
import { keyedIdSql } from '../src/keyed-ids.js';

test('the SQL of keyed ids says what isKeyedBoot says', () => {
  assert.equal(keyedIdSql('batch.boot'), "(length(batch.boot) = 25 AND startsWith(batch.boot, 'k'))");
  const keyed = keyedBoot(Buffer.alloc(32, 7));
  assert.ok(isKeyedBoot(keyed));
  assert.deepEqual([keyed.length, keyed[0]], [25, 'k']);
});
