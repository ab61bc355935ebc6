import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { answerOf, startStore } from './running-store.js';

test('merges use no more than the configured threads, and a large one leaves threads for small ones', async () => {
  const store = await startStore({ after }, { MERGE_THREADS: '3' });
  const ofServer = await answerOf(
    store,
    "SELECT name, value FROM system.server_settings WHERE name LIKE 'background%size' OR name LIKE '%concurrency_ratio' ORDER BY name FORMAT TSV",
  );
  assert.match(ofServer, /^background_merges_mutations_concurrency_ratio\t4$/m);
  assert.match(ofServer, /^background_pool_size\t3$/m);
  const ofTables = await answerOf(
    store,
    "SELECT name, value FROM system.merge_tree_settings WHERE name LIKE 'number_of_free_entries%' ORDER BY name FORMAT TSV",
  );
  assert.deepEqual(
    ofTables
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[1]),
    ['6', '6', '11'],
  );
  // A table created and merged with this configuration.
  await answerOf(store, 'CREATE TABLE t (x UInt8) ENGINE = MergeTree ORDER BY x');
  for (const x of [1, 2]) await answerOf(store, `INSERT INTO t VALUES (${x})`);
  await answerOf(store, 'OPTIMIZE TABLE t FINAL');
  assert.equal(
    (await answerOf(store, "SELECT count() FROM system.parts WHERE table = 't' AND active")).trim(),
    '1',
  );
});
