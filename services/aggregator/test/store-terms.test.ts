import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableFaults } from '../src/topics/store-terms.js';

const table = (engine: string) => [{ name: 'request_log', engine_full: engine, as_select: '' }];
const WITH = (ttl: string) =>
  table(
    `MergeTree PARTITION BY toStartOfInterval(time, toIntervalHour(4)) ORDER BY time TTL ${ttl} SETTINGS a = 1`,
  );

test('the term of a table is its TTL, in any unit, with or without moves beside it', () => {
  for (const ttl of [
    'toDateTime(time) + toIntervalDay(7)',
    'toDateTime(time) + toIntervalHour(168)',
    'time + toIntervalWeek(1) DELETE',
    "toDateTime(time) + toIntervalDay(7), toDateTime(time) + toIntervalDay(1) TO VOLUME 'cold'",
    "toDateTime(time) + toIntervalDay(2) DELETE WHERE outcome = 'success', toDateTime(time) + toIntervalDay(7)",
  ]) {
    assert.deepEqual(tableFaults(WITH(ttl)), [], ttl);
  }
});

test('a table without a TTL, with another one, or counted from another column is named', () => {
  for (const ttl of [
    'toDateTime(time) + toIntervalDay(8)',
    'toDateTime(time) + toIntervalDay(6)',
    'toDateTime(time) + toIntervalMonth(7)',
    'now() + toIntervalDay(7)',
    'toDateTime(stored_at) + toIntervalDay(7)',
    "toDateTime(time) + toIntervalDay(7) DELETE WHERE outcome = 'success'",
    "toDateTime(time) + toIntervalDay(7) TO VOLUME 'cold'",
    'toDateTime(time) + toIntervalDay(7), toDateTime(time) + toIntervalDay(1)',
  ]) {
    const [fault = ''] = tableFaults(WITH(ttl));
    assert.match(
      fault,
      /^table request_log has TTL .*allowed is only time \+ 168 h: ALTER TABLE request_log MODIFY TTL/,
    );
    assert(fault.includes(ttl));
  }
  const [none = ''] = tableFaults(table('MergeTree ORDER BY time SETTINGS index_granularity = 8192'));
  assert.match(none, /^table request_log has no TTL/);
});

const view = (select: string) =>
  tableFaults([{ name: 'interface_metric_kept', engine_full: '', as_select: select }]);

test('a view that clips elsewhere, or not at all, is named', () => {
  const from = 'SELECT * FROM imscope.interface_metric';
  assert.deepEqual(view(`${from} WHERE window_start > (now64(3, 'UTC') - toIntervalDay(2))`), []);
  for (const select of [
    from,
    `${from} WHERE window_start > (now64(3, 'UTC') - toIntervalDay(3))`,
    `${from} WHERE window_start > (now64(3, 'UTC') - toIntervalDay(2)) OR (window_s = 60)`,
  ]) {
    assert.match(view(select)[0] ?? '', /^view interface_metric_kept is .*INTERVAL 48 HOUR/);
  }
});
