import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { answerOf, ask, startStore, temporaryDirectory } from './running-store.js';

const store = await startStore({ after });
const directory = temporaryDirectory({ after });
const secret = join(directory, 'secret.tsv');
writeFileSync(secret, 'TOP-SECRET\n');
await answerOf(store, 'CREATE TABLE t (a String) ENGINE = MergeTree ORDER BY a');

test('no statement reads a file of the machine', async () => {
  const attempts = [
    `SELECT * FROM file('${secret}', 'TSV', 'a String')`,
    `SELECT file('${secret}')`,
    `SELECT * FROM "${secret}"`,
    `SELECT * FROM '${secret}'`,
    `SELECT * FROM default."${secret}"`,
    `SELECT * FROM url('file://${secret}', 'TSV', 'a String')`,
    `SELECT * FROM s3('http://127.0.0.1:1/x', 'TSV', 'a String')`,
    `SELECT * FROM executable('cat ${secret}', 'TSV', 'a String')`,
    `INSERT INTO t FROM INFILE '${secret}' FORMAT TSV`,
    `INSERT INTO t SELECT * FROM "${secret}"`,
    `INSERT INTO t SELECT a FROM input('a String') WHERE a IN default."${secret}" FORMAT TSV\nTOP-SECRET\n`,
    `CREATE TABLE stolen (a String) ENGINE = File(TSV, '${secret}')`,
    `CREATE TABLE stolen (a String) ENGINE = URL('http://127.0.0.1:1/', TSV)`,
    `CREATE DATABASE stolen ENGINE = Filesystem('${directory}')`,
    `SELECT * FROM remote('127.0.0.1', system.one)`,
  ];
  for (const sql of attempts) {
    const answer = await ask(store, sql);
    assert.notEqual(answer.status, 200, sql);
    assert.doesNotMatch(answer.text, /TOP-SECRET$/m, sql);
  }
  assert.equal(await answerOf(store, 'SELECT count() FROM t'), '0');
});

test('a dictionary or a view over a file reads nothing either', async () => {
  const create = `CREATE DICTIONARY stolen (a String, b String DEFAULT '') PRIMARY KEY a SOURCE(FILE(path '${secret}' format 'TSV')) LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(0)`;
  await ask(store, create);
  assert.doesNotMatch((await ask(store, 'SELECT * FROM stolen')).text, /TOP-SECRET/);
  await ask(store, `CREATE VIEW peek (a String) AS SELECT * FROM default."${secret}"`);
  assert.doesNotMatch((await ask(store, 'SELECT * FROM peek')).text, /TOP-SECRET/);
});

test('no statement writes a file of the machine or stops the store', async () => {
  const out = join(directory, 'out');
  const attempts = [
    `SELECT 1 INTO OUTFILE '${out}'`,
    `INSERT INTO FUNCTION file('${out}', 'TSV', 'a String') SELECT 'x'`,
    `INSERT INTO default."${out}.tsv" SELECT 'x'`,
    `BACKUP TABLE t TO File('${out}')`,
    'SYSTEM SHUTDOWN',
    'SYSTEM KILL',
    'SET ROLE ALL',
    'CREATE USER intruder',
    'GRANT ALL ON *.* TO default',
  ];
  for (const sql of attempts) assert.notEqual((await ask(store, sql)).status, 200, sql);
  assert.ok(!existsSync(out) && !existsSync(`${out}.tsv`));
  assert.equal(await answerOf(store, 'SELECT 1'), '1');
});
