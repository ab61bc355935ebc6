import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { answerOf, ask, startStore } from './running-store.js';

const MIB = 1024 * 1024;
const BOUND = 512 * MIB;
/** Needs some gigabytes: each value of the list is a separate allocation. */
const WIDE = 'SELECT length(groupArray(toString(number))) FROM numbers(100000000)';

const store = await startStore({ after }, { MEMORY_BYTES_MAX: String(BOUND) });
await answerOf(store, 'CREATE TABLE t (x UInt64, s String) ENGINE = MergeTree ORDER BY x');

test('a statement that needs more than half of the bound gets code 241, and the next one is answered', async () => {
  const refused = await ask(store, WIDE);
  assert.deepEqual([refused.status, refused.code], [503, '241']);
  assert.equal(await answerOf(store, 'SELECT 1'), '1');
});

test('one statement may use half of the bound', async () => {
  assert.equal(await answerOf(store, "SELECT getSetting('max_memory_usage')"), String(BOUND / 2));
});

test('concurrent large statements stay within the bound, and inserts beside them are stored', async () => {
  let peakBytes = 0;
  const watch = setInterval(() => (peakBytes = Math.max(peakBytes, residentBytes())), 50);
  const before = residentBytes();
  const wide = Promise.all(Array.from({ length: 4 }, () => ask(store, WIDE)));
  let inserted = 0;
  for (let round = 0; round < 20; round++) {
    // An aggregator retries an insert that was refused for lack of memory.
    let answer = await ask(store, `INSERT INTO t SELECT number, toString(number) FROM numbers(10000)`);
    while (answer.code === '241')
      answer = await ask(store, `INSERT INTO t SELECT number, toString(number) FROM numbers(10000)`);
    assert.equal(answer.status, 200);
    inserted += 10_000;
  }
  for (const { code } of await wide) assert.equal(code, '241');
  clearInterval(watch);
  assert.equal(await answerOf(store, 'SELECT count() FROM t'), String(inserted));
  assert.ok(
    peakBytes - before < BOUND + 128 * MIB,
    `resident memory rose by ${Math.round((peakBytes - before) / MIB)} MiB; the bound is ${BOUND / MIB}`,
  );
});

test('caches are a fraction of the bound instead of the sizes of a large server', async () => {
  const sizes = await answerOf(
    store,
    "SELECT name, value FROM system.server_settings WHERE name IN ('max_server_memory_usage', 'mark_cache_size', 'primary_index_cache_size', 'index_mark_cache_size', 'compiled_expression_cache_size', 'query_condition_cache_size') ORDER BY name FORMAT TSV",
  );
  assert.deepEqual(Object.fromEntries(sizes.split('\n').map((line) => line.split('\t'))), {
    compiled_expression_cache_size: String(16 * MIB),
    index_mark_cache_size: String(BOUND / 32),
    mark_cache_size: String(BOUND / 8),
    max_server_memory_usage: String(BOUND),
    primary_index_cache_size: String(BOUND / 16),
    query_condition_cache_size: String(16 * MIB),
  });
});

/** Anonymous memory of the store. */
function residentBytes(): number {
  const status = readFileSync(`/proc/${store.process.pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
