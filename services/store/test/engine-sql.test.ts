import assert from 'node:assert/strict';
import { test } from 'node:test';
import { insertFromFile, killByQueryId, quoted, selectIntoPipe, refuseForbidden } from '../src/engine-sql.js';
import { toByteText } from '../src/sql-tokens.js';
import { parseStatement } from '../src/statement.js';
import { StoreError } from '../src/store-error.js';

const read = (sql: string) => parseStatement(toByteText(sql));
const refusal = (code: number) => (error: unknown) => error instanceof StoreError && error.code === code;

test('a read is written to the pipe, in its own format or in the default one', () => {
  assert.equal(
    selectIntoPipe(read('select 1'), '/p', 'TSV').sql,
    "select 1\nINTO OUTFILE '/p' TRUNCATE FORMAT TSV",
  );
  assert.deepEqual(selectIntoPipe(read("select 'ü' format JSON settings a=1; -- x"), '/p', 'TSV'), {
    sql: "select 'ü' INTO OUTFILE '/p' TRUNCATE format JSON settings a=1",
    format: 'JSON',
  });
  assert.equal(
    selectIntoPipe(read('select 1 -- end'), '/p', 'TSV').sql,
    "select 1\nINTO OUTFILE '/p' TRUNCATE FORMAT TSV",
  );
});

test('SETTINGS at the end stay there, those of subqueries stay with their subqueries', () => {
  const into = "\nINTO OUTFILE '/p' TRUNCATE FORMAT TSV";
  const cases: [string, string][] = [
    ['(select 1) union all (select 2) settings a=1', `(select 1) union all (select 2) ${into} settings a=1`],
    ['select 1 settings a=1, b=2', `select 1 ${into} settings a=1, b=2`],
    ['select 1 settings a=1 union all select 2', `select 1 settings a=1 union all select 2${into}`],
    ['select * from (select 1 settings a=1)', `select * from (select 1 settings a=1)${into}`],
    ['select settings from t', `select settings from t${into}`],
  ];
  for (const [sql, expected] of cases) assert.equal(selectIntoPipe(read(sql), '/p', 'TSV').sql, expected);
});

test('an INSERT reads its data from the file', () => {
  assert.deepEqual(insertFromFile(read('insert into t (a) settings b=1 format CSV\n1'), '/f'), {
    sql: "insert into t (a) \nFROM INFILE '/f' settings b=1 \nFORMAT CSV",
    readsFile: false,
  });
});

test('input() becomes file() with the structure kept, and needs the right to read files', () => {
  const statement = read(
    "INSERT INTO t (a, b) SELECT a, {b:UInt64} FROM input('a Enum8(\\'x\\'=1)') FORMAT Avro\n",
  );
  assert.deepEqual(insertFromFile(statement, '/f'), {
    sql: "INSERT INTO t (a, b) SELECT a, {b:UInt64} FROM file('/f', 'Avro', 'a Enum8(\\'x\\'=1)') ",
    readsFile: true,
  });
});

test('an INSERT that may read a file can name no other table', () => {
  const inputs = [
    "insert into t select a from input('a Int8') where a in (select b from u) format TSV\n",
    "insert into t select a from input('a Int8') join u using a format TSV\n",
    "insert into t select a from input('a Int8') where a in u format TSV\n",
    'insert into t select a from input(\'a Int8\') where a in default."/etc/passwd" format TSV\n',
    "insert into t select a from input('a Int8'), '/etc/passwd' format TSV\n",
    "insert into t select a from input('a Int8') as i, u format TSV\n",
  ];
  for (const sql of inputs) assert.throws(() => insertFromFile(read(sql), '/f'), refusal(48), sql);
  const allowed =
    "insert into t select a, b from input('a Int8, b Int8') where a in (1, 2) order by a, b format TSV\n";
  assert.ok(insertFromFile(read(allowed), '/f').readsFile);
});

test('input() without its structure is refused', () => {
  assert.throws(
    () => insertFromFile(read('insert into t select * from input() format TSV\n'), '/f'),
    refusal(62),
  );
});

test('SQL that reaches files, programs or roles is refused in every notation', () => {
  const forbidden = [
    "select * from file('/etc/passwd')",
    "select FILE /* c */ ('/etc/passwd')",
    "select * from `file`('x')",
    'select * from "executable"(\'x\')',
    "insert into function file('/tmp/x', 'TSV', 'a Int8') select 1",
    "select 1 into outfile '/tmp/x'",
    "insert into t from infile '/etc/passwd' format TSV\n",
    'set role all',
    'set default role all to default',
  ];
  for (const sql of forbidden) assert.throws(() => refuseForbidden(read(sql)), refusal(497), sql);
  for (const sql of [
    "select 'file(x)'",
    'select file from t',
    'insert into file (a) select 1',
    'select a.file, b',
  ])
    assert.doesNotThrow(() => refuseForbidden(read(sql)), sql);
});

test('a KILL by the id of a request kills the statement that writes to its pipe, and does not wait', () => {
  const reads = new Map([["it's", '/p']]);
  const sql = killByQueryId(read("kill query where query_id = 'other' sync"), reads);
  assert.equal(sql, "kill query where query_id = 'other' ");
  const known = killByQueryId(read("kill query where query_id = 'q'"), new Map([['q', '/p']]));
  assert.match(
    known,
    /^kill query where query_id = \(SELECT query_id FROM system\.processes WHERE position\(query, '\/p'\) > 0/,
  );
});

test('quoting keeps every value inside its quotes', () => {
  assert.equal(quoted("a'b\\"), "'a\\'b\\\\'");
});
