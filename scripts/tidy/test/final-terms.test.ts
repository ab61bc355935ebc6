import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMigrations } from '@imscope/schemas/migrate.js';
import { STORE_TERMS } from '@imscope/schemas/retention.js';
import { finalTerms } from '../final-terms.js';

const TABLE = 'CREATE TABLE IF NOT EXISTS log (time DateTime64) TTL toDateTime(time) + INTERVAL 7 DAY DELETE';
const LOG = { kind: 'table', column: 'time', hours: 168 };

function view(days: number): string {
  return `CREATE OR REPLACE VIEW log_kept AS SELECT * FROM log WHERE time > now64(3, 'UTC') - INTERVAL ${days} DAY`;
}

test('after all migrations each table deletes and each view clips at its term', () => {
  const stated = finalTerms(readMigrations().flatMap(({ statements }) => statements));
  const wanted = STORE_TERMS.map(({ name, ...term }) => [name, term] as const);
  assert.deepEqual(new Map(stated), new Map(wanted));
});

test('the last statement that sets a term is the one that counts', () => {
  const changed = 'ALTER TABLE log MODIFY TTL toDateTime(time) + INTERVAL 36 HOUR DELETE';
  assert.deepEqual(
    [...finalTerms([TABLE, view(7), changed, view(2), TABLE])],
    [
      ['log', { ...LOG, hours: 36 }],
      ['log_kept', { ...LOG, kind: 'view', hours: 48 }],
    ],
  );
});

test('a table has its term under its new name, and a dropped table or one without TTL has none', () => {
  assert.deepEqual(
    [...finalTerms([TABLE, 'RENAME TABLE IF EXISTS log TO log_by_time'])],
    [['log_by_time', LOG]],
  );
  assert.deepEqual([...finalTerms([TABLE, 'DROP TABLE IF EXISTS log SYNC'])], []);
  assert.deepEqual([...finalTerms([TABLE, 'ALTER TABLE log REMOVE TTL'])], []);
  assert.deepEqual([...finalTerms([TABLE, 'CREATE OR REPLACE TABLE log (time DateTime64)'])], []);
});
