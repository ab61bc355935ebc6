import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ask, startStore } from './running-store.js';

const run = promisify(execFile);
const store = await startStore({ after });

/** curl's exit code, its standard output as bytes. */
async function curl(...options: string[]): Promise<{ exit: number; output: Buffer }> {
  try {
    const { stdout } = await run('curl', ['--silent', ...options], { encoding: 'buffer', maxBuffer: 64e6 });
    return { exit: 0, output: stdout };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'stdout' in error && Buffer.isBuffer(error.stdout)))
      throw error;
    return { exit: Number(error.code), output: error.stdout };
  }
}
const text = async (...options: string[]): Promise<string> => (await curl(...options)).output.toString();

test('health checks answer Ok without credentials', async () => {
  for (const path of ['/ping', '/replicas_status', '/'])
    assert.equal(await text(`${store.url}${path}`), 'Ok.\n');
  assert.match(
    await text('-i', `${store.url}/elsewhere`),
    /404 Not Found[\s\S]*There is no handle \/elsewhere/,
  );
});

test('an address that cannot be parsed gets 400, and the store keeps running', async () => {
  for (const address of ['//', '//?query=SELECT%201', 'http://', '//a:b:c']) {
    const answer = await text('-i', '--request-target', address, store.url);
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request/, address);
  }
  assert.equal(await text(`${store.url}/ping`), 'Ok.\n');
});

test('the statement comes in the URL, in the body, or begins in one and ends in the other', async () => {
  assert.equal(await text(`${store.url}/?query=SELECT%201`), '1\n');
  assert.equal(await text(store.url, '-d', 'SELECT 1'), '1\n');
  assert.equal(await text(`${store.url}/?query=SELECT`, '-d', '1, 2'), '1\t2\n');
  assert.equal(await text(`${store.url}/?query=SELECT%201&default_format=JSONEachRow`), '{"1":1}\n');
  assert.equal(await text(store.url, '-H', 'X-ClickHouse-Format: CSV', '-d', "SELECT 'a'"), '"a"\n');
});

test('GET is readonly, and so is readonly=1', async () => {
  const answer = await ask(store, 'CREATE TABLE readonly_t (a Int8) ENGINE = Memory', { method: 'GET' });
  assert.deepEqual([answer.status, answer.code], [500, '164']);
  assert.match(
    answer.text,
    /^Code: 164\. DB::Exception: Cannot execute query in readonly mode.*\(READONLY\) \(version /,
  );
  const post = await ask(store, 'CREATE TABLE readonly_t (a Int8) ENGINE = Memory', {
    parameters: { readonly: '1' },
  });
  assert.equal(post.code, '164');
});

test('errors have the status, the header and the text of a server', async () => {
  const errors: [string, number, string, RegExp][] = [
    ['selec 1', 400, '62', /^Code: 62\. DB::Exception: .* \(SYNTAX_ERROR\) \(version \d+\.\d+.*\)\n$/s],
    ['SELECT nope', 404, '47', /\(UNKNOWN_IDENTIFIER\)/],
    ['SELECT * FROM nope.t', 404, '81', /\(UNKNOWN_DATABASE\)/],
    ["SELECT toUInt8('x')", 400, '6', /\(CANNOT_PARSE_TEXT\)/],
    [
      'SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_execution_time = 1, max_block_size = 1',
      408,
      '159',
      /\(TIMEOUT_EXCEEDED\)/,
    ],
    ['SELECT 1; SELECT 2', 400, '62', /Multi-statements are not allowed/],
    ['', 400, '62', /Empty query/],
    ['SELECT {x:UInt8}', 500, '456', /Substitution `x` is not set/],
  ];
  for (const [sql, status, code, message] of errors) {
    const answer = await ask(store, sql);
    assert.deepEqual([answer.status, answer.code], [status, code], `${sql}: ${answer.text}`);
    assert.match(answer.text, message);
  }
  assert.equal((await ask(store, 'SELECT 1', { parameters: { no_such_setting: '1' } })).code, '115');
  assert.equal((await ask(store, 'SELECT 1', { parameters: { "x';--": '1' } })).code, '115');
  assert.equal((await ask(store, 'SELECT 1', { parameters: { compress: '1' } })).status, 501);
});

test('an answer carries the headers of a server', async () => {
  const { headers } = await ask(store, 'SELECT 1 FORMAT JSON', { parameters: { query_id: 'q-1' } });
  assert.equal(headers.get('x-clickhouse-query-id'), 'q-1');
  assert.equal(headers.get('x-clickhouse-format'), 'JSON');
  assert.equal(headers.get('content-type'), 'application/json; charset=UTF-8');
  assert.match(headers.get('x-clickhouse-exception-tag') ?? '', /^[a-z0-9]{16}$/);
  assert.ok(headers.get('x-clickhouse-timezone'));
  assert.ok(headers.get('x-clickhouse-server-display-name'));
  const summary: unknown = JSON.parse(headers.get('x-clickhouse-summary') ?? '');
  assert.deepEqual(Object.keys(summary ?? {}).slice(0, 4), [
    'read_rows',
    'read_bytes',
    'written_rows',
    'written_bytes',
  ]);
});

test('bound parameters are TSV-escaped, as in the URL of a server', async () => {
  const answer = await ask(store, 'SELECT length({x:String}), {l:Array(String)}', {
    parameters: { param_x: 'a\\tb', param_l: "['a\\'b','c']" },
  });
  assert.equal(answer.text, "3\t['a\\'b','c']\n");
});

test('a form may hold statement and parameters; files in it are refused', async () => {
  assert.equal(await text(store.url, '-F', 'query=SELECT {a:String}', '-F', 'param_a=x y'), 'x y\n');
  const file = await text(store.url, '-F', 'query=SELECT 1', '-F', 'data=@/dev/null;filename=data.tsv');
  assert.match(file, /^Code: 48\. .*External data \("data"\) is not supported/);
});

test('answers are compressed where client and settings allow it', async () => {
  const sql = 'SELECT number FROM numbers(100000)';
  const expected = Array.from({ length: 100_000 }, (_, index) => `${index}\n`).join('');
  const url = `${store.url}/?enable_http_compression=1`;
  const gzip = await curl(url, '-H', 'Accept-Encoding: gzip', '-d', sql);
  assert.equal(gunzipSync(gzip.output).toString(), expected);
  assert.ok(gzip.output.length < expected.length / 2);
  for (const encoding of ['gzip', 'deflate', 'br'])
    assert.equal(
      await text(url, '--compressed', '-H', `Accept-Encoding: ${encoding}`, '-d', sql),
      expected,
      encoding,
    );
  assert.equal(await text(store.url, '-H', 'Accept-Encoding: gzip', '-d', sql), expected);
  assert.equal(await text(url, '-H', 'Accept-Encoding: gzip;q=0', '-d', sql), expected);
});

test('request bodies are decompressed, statements and data alike', async () => {
  await ask(store, 'CREATE TABLE zipped (a UInt32) ENGINE = MergeTree ORDER BY a');
  const send = async (body: Uint8Array, encoding: string, query = ''): Promise<Response> =>
    fetch(`${store.url}/?query=${encodeURIComponent(query)}`, {
      method: 'POST',
      body,
      headers: { 'Content-Encoding': encoding },
    });
  assert.equal(await (await send(gzipSync('SELECT 7'), 'gzip')).text(), '7\n');
  assert.equal((await send(gzipSync('1\n2\n'), 'gzip', 'INSERT INTO zipped FORMAT TSV')).status, 200);
  assert.equal((await ask(store, 'SELECT sum(a) FROM zipped')).text, '3\n');
  const broken = await send(gzipSync('4\n5\n').subarray(0, 15), 'gzip', 'INSERT INTO zipped FORMAT TSV');
  assert.deepEqual([broken.status, broken.headers.get('x-clickhouse-exception-code')], [400, '117']);
  const unknown = await send(gzipSync('4\n'), 'lz4', 'INSERT INTO zipped FORMAT TSV');
  assert.deepEqual([unknown.status, unknown.headers.get('x-clickhouse-exception-code')], [415, '89']);
  assert.equal((await ask(store, 'SELECT sum(a) FROM zipped')).text, '3\n');
});

test('an error in the middle of a stream is in the body between markers, and curl reports an incomplete body', async () => {
  const { exit, output } = await curl(
    store.url,
    '-d',
    'SELECT number, throwIf(number = 900000) FROM numbers(2000000) SETTINGS max_block_size = 1000',
  );
  assert.equal(exit, 18);
  const end = output.subarray(-1000).toString();
  const [, tag, message, length, tagAgain] =
    /\r\n__exception__\r\n(\w{16})\r\n(Code: 395[\s\S]*\n)(\d+) (\w{16})\r\n__exception__\r\n$/.exec(end) ??
    [];
  assert.ok(message);
  assert.equal(tag, tagAgain);
  assert.equal(Number(length), Buffer.byteLength(message));
});

test('wait_end_of_query holds the result back, so that the same error becomes a status', async () => {
  const sql = 'SELECT number, throwIf(number = 900000) FROM numbers(2000000) SETTINGS max_block_size = 1000';
  const answer = await ask(store, sql, { parameters: { wait_end_of_query: '1' } });
  assert.deepEqual([answer.status, answer.code], [500, '395']);
  assert.match(answer.text, /^Code: 395/);
});

test('methods other than GET and POST are refused', async () => {
  assert.match(await text('-i', '-X', 'DELETE', `${store.url}/?query=SELECT%201`), /501 Not Implemented/);
  assert.match(await text('-I', `${store.url}/ping`), /^HTTP\/1\.1 200 OK/);
});

test('a connection serves the next request after an error', async () => {
  const both = await text(store.url, '-d', 'selec 1', '--next', '--silent', store.url, '-d', 'SELECT 2');
  assert.match(both, /SYNTAX_ERROR[\s\S]*\n2\n$/);
});

test('SHOW and similar statements answer like a SELECT', async () => {
  await ask(store, 'CREATE TABLE shown (a UInt8, b String) ENGINE = MergeTree ORDER BY a');
  await ask(store, 'INSERT INTO shown VALUES (1, 2)');
  const shown: [string, RegExp][] = [
    ["SHOW TABLES LIKE 'shown'", /^shown\n$/],
    ['SHOW CREATE TABLE shown', /^CREATE TABLE default\.shown/],
    ['DESCRIBE TABLE shown', /^a\tUInt8/],
    ['DESC shown SETTINGS describe_compact_output = 1', /^a\tUInt8\nb\tString\n$/],
    ['DESC shown FORMAT JSONEachRow SETTINGS describe_compact_output = 1', /^\{"name":"a","type":"UInt8"\}/],
    ['EXPLAIN SELECT a FROM shown', /ReadFromMergeTree/],
    ['EXISTS shown', /^1\n$/],
    ['CHECK TABLE shown', /\t1\t\n$/],
    ['WITH 5 AS x SELECT x + a FROM shown', /^6\n$/],
    ['FROM shown SELECT b', /^2\n$/],
    ['(SELECT 1) UNION ALL (SELECT 1) SETTINGS max_threads = 1', /^1\n1\n$/],
    ['SELECT a FROM shown WHERE a > 9', /^$/],
  ];
  for (const [sql, expected] of shown) {
    const answer = await ask(store, sql, { method: 'GET' });
    assert.equal(answer.status, 200, `${sql}: ${answer.text}`);
    assert.match(answer.text, expected, sql);
  }
});
