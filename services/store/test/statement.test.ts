import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toByteText } from '../src/sql-tokens.js';
import { parseStatement } from '../src/statement.js';

const read = (sql: string) => parseStatement(toByteText(sql));

test('the first words of a statement decide its kind', () => {
  const kinds: [string, string][] = [
    ['select 1', 'read'],
    ['-- c\n (select 1)', 'read'],
    ['WITH 1 AS x SELECT x', 'read'],
    ['from t select a', 'read'],
    ['show tables', 'show'],
    ['explain select 1', 'show'],
    ['exists table t', 'show'],
    ['insert into t values (1)', 'insert'],
    ['with 1 as x insert into t select x', 'insert'],
    ['select insert from t', 'read'],
    ['create table t (a Int8) engine = Memory', 'command'],
    ['create temporary table t (a Int8)', 'session'],
    ['alter table t delete where 1', 'command'],
    ['set max_threads = 1', 'session'],
    ['use imscope', 'session'],
    ['kill query where 1', 'control'],
  ];
  for (const [sql, kind] of kinds) assert.equal(read(sql).kind, kind, sql);
});

test('the FORMAT clause is the last one outside brackets, and not a name', () => {
  const formats: [string, string | undefined][] = [
    ['select 1 format JSON', 'JSON'],
    ['select 1 FORMAT JSON settings max_threads=1', 'JSON'],
    ['select 1 settings max_threads=1 format CSV', 'CSV'],
    ["select 'x format JSON'", undefined],
    ['select 1 -- format JSON', undefined],
    ['select format from t', undefined],
    ['select a as format from t', undefined],
    ["select format('{}', a) from t format TSV", 'TSV'],
    ['select * from (select 1 as format)', undefined],
    ['select 1 format JSON;', 'JSON'],
    ['show tables format JSONEachRow', 'JSONEachRow'],
  ];
  for (const [sql, format] of formats) assert.equal(read(sql).format, format, sql);
});

test('the data of an INSERT begins after its format and one line break', () => {
  const inserts: [string, string, string][] = [
    ['insert into t format JSONEachRow {"a":1}', 'JSONEachRow', '{"a":1}'],
    ['insert into t format JSONEachRow\n{"a":1}', 'JSONEachRow', '{"a":1}'],
    ['insert into t format TSV \r\n\n1', 'TSV', '\n1'],
    ['insert into t (a, format) format CSV\n1;2', 'CSV', '1;2'],
    ["insert into t values (1, 'x')", 'Values', " (1, 'x')"],
    ["insert into t settings a='x' values (1)", 'Values', ' (1)'],
    ["insert into t select a, format from input('a Int8, format Int8') format Avro\nObj", 'Avro', 'Obj'],
    ["insert into t select * from input('a Int8') where a in (1) format Avro\n", 'Avro', ''],
    ['with 1 as x insert into t format TSV\n1', 'TSV', '1'],
  ];
  for (const [sql, format, data] of inserts) {
    const statement = read(sql);
    assert.equal(statement.kind, 'insert', sql);
    assert.equal(statement.format, format, sql);
    assert.equal(sql.slice(statement.dataAt), data, sql);
  }
});

test('data is never read as SQL: quotes, semicolons and comments in it have no meaning', () => {
  const statement = read("insert into t format TSV\nit's; -- select /* never closed");
  assert.equal(statement.kind, 'insert');
  assert.equal(statement.sql, 'insert into t ');
});

test('an INSERT without data has none', () => {
  assert.equal(read('insert into t select 1').dataAt, undefined);
  assert.equal(read("insert into t select 'values (1)' from u").dataAt, undefined);
});

test('several statements, and an empty text, are refused with code 62', () => {
  assert.throws(() => read('select 1; select 2'), /Multi-statements are not allowed/);
  assert.throws(() => read(' -- nothing\n'), /Empty query/);
  assert.equal(read('select 1; -- and no more').kind, 'read');
});

test('placeholders are found across blanks and comments, and never in strings', () => {
  const { parameters } = read("select {a:Int8}, { b /* c */ : Array(String) }, '{d:Int8}', {'e': 1}");
  assert.deepEqual([...parameters], ['a', 'b']);
});
