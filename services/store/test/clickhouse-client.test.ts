import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { ClickHouseError, createClient } from '@clickhouse/client';
import { startStore } from './running-store.js';

const store = await startStore({ after }, { STORE_USER: 'im', STORE_PASSWORD: 'se cret:ü' });
const quiet = { log: { level: 127 } } as const;
const account = { url: store.url, username: 'im', password: 'se cret:ü', ...quiet };
const client = createClient(account);
const compressed = createClient({ ...account, compression: { request: true, response: true } });
after(async () => {
  await client.close();
  await compressed.close();
});
await client.command({
  query:
    'CREATE TABLE t (id UInt32, name String, tags Array(String), at DateTime64(3), n Nullable(Int8)) ' +
    'ENGINE = MergeTree ORDER BY id',
});

test('ping answers, with and without a SELECT', async () => {
  assert.deepEqual(await client.ping(), { success: true });
  assert.deepEqual(await client.ping({ select: true }), { success: true });
});

test('a wrong password is an authentication failure in query and in ping with a SELECT', async () => {
  const stranger = createClient({ url: store.url, username: 'im', password: 'wrong', ...quiet });
  await assert.rejects(stranger.query({ query: 'SELECT 1' }), { code: '516', type: 'AUTHENTICATION_FAILED' });
  assert.equal((await stranger.ping({ select: true })).success, false);
  await stranger.close();
});

test('every JSON format the client knows is read by it', async () => {
  const query = 'SELECT number AS id, toString(number) AS s FROM numbers(3)';
  const rows = [0, 1, 2].map((id) => ({ id: String(id), s: String(id) }));
  const settings = { output_format_json_quote_64bit_integers: 1 } as const;
  for (const format of ['JSONEachRow', 'JSONStringsEachRow'] as const) {
    const result = await client.query({ query, format, clickhouse_settings: settings });
    assert.deepEqual(await result.json(), rows, format);
  }
  for (const format of ['JSON', 'JSONStrings'] as const) {
    const result = await client.query({ query, format, clickhouse_settings: settings });
    const { data, rows: count, meta } = await result.json<{ id: string }>();
    assert.deepEqual(data, rows, format);
    assert.equal(count, 3);
    assert.deepEqual(
      meta?.map(({ name }) => name),
      ['id', 's'],
    );
  }
  const compact = await client.query({ query, format: 'JSONCompactEachRow', clickhouse_settings: settings });
  assert.deepEqual(
    await compact.json(),
    rows.map(({ id, s }) => [id, s]),
  );
  const columns = await client.query({
    query,
    format: 'JSONColumnsWithMetadata',
    clickhouse_settings: settings,
  });
  assert.equal((await columns.json()).rows, 3);
  const objects = await client.query({ query, format: 'JSONObjectEachRow', clickhouse_settings: settings });
  assert.deepEqual(Object.values(await objects.json()), rows);
});

test('text formats arrive as text, binary ones unchanged', async () => {
  const csv = await client.query({ query: "SELECT 1 AS a, 'x,y' AS b", format: 'CSVWithNames' });
  assert.equal(await csv.text(), '"a","b"\n1,"x,y"\n');
  const parquet = await client.exec({ query: 'SELECT number FROM numbers(1000) FORMAT Parquet' });
  const chunks: Buffer[] = [];
  for await (const chunk of parquet.stream) chunks.push(Buffer.from(chunk as Uint8Array));
  const bytes = Buffer.concat(chunks);
  assert.equal(bytes.subarray(0, 4).toString(), 'PAR1');
  assert.equal(bytes.subarray(-4).toString(), 'PAR1');
  await client.command({ query: 'CREATE TABLE p (number UInt64) ENGINE = MergeTree ORDER BY number' });
  const back = await client.exec({ query: 'INSERT INTO p FORMAT Parquet', values: Readable.from([bytes]) });
  back.stream.resume();
  assert.equal(back.summary?.written_rows, '1000');
});

test('a large result streams row by row, plain and compressed, each row once', async () => {
  for (const one of [client, compressed]) {
    const result = await one.query({ query: 'SELECT number FROM numbers(1000000)', format: 'JSONEachRow' });
    let count = 0;
    let sum = 0;
    for await (const rows of result.stream<{ number: string }>()) {
      for (const row of rows) {
        count += 1;
        sum += Number(row.json().number);
      }
    }
    assert.equal(count, 1_000_000);
    assert.equal(sum, (999_999 * 1_000_000) / 2);
  }
});

test('an error in the middle of a streamed result reaches the client as that error', async () => {
  for (const one of [client, compressed]) {
    const result = await one.query({
      query: 'SELECT number, throwIf(number = 900000) FROM numbers(2000000) SETTINGS max_block_size = 1000',
      format: 'JSONEachRow',
    });
    let rows = 0;
    await assert.rejects(
      async () => {
        for await (const some of result.stream()) rows += some.length;
      },
      (error) => error instanceof ClickHouseError && error.code === '395',
    );
    assert.ok(rows > 0 && rows <= 900_000);
  }
});

test('an incomplete result is never read as a complete one, even as plain text', async () => {
  const result = await client.query({
    query: 'SELECT number, throwIf(number = 900000) FROM numbers(2000000) SETTINGS max_block_size = 1000',
    format: 'CSV',
  });
  await assert.rejects(result.text());
});

test('errors carry code, name and message of the engine', async () => {
  const failures: [string, string, string][] = [
    ['SELECT nope', '47', 'UNKNOWN_IDENTIFIER'],
    ['SELECT * FROM nope', '60', 'UNKNOWN_TABLE'],
    ['selec 1', '62', 'SYNTAX_ERROR'],
    ["SELECT throwIf(1, 'a (b) c')", '395', 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
  ];
  for (const [query, code, type] of failures)
    await assert.rejects(client.query({ query }), { code, type }, query);
});

test('query_params are bound as on a server, with any content', async () => {
  const texts = ['', "it's", 'a\tb\nc\\d', "\\'; DROP TABLE t; --", 'ü😀', '{x:String}', "'", '\\N', '\\t'];
  for (const text of texts) {
    const result = await client.query({
      query: 'SELECT {text:String} AS text, {list:Array(String)} AS list',
      query_params: { text, list: [text, text] },
      format: 'JSONEachRow',
    });
    assert.deepEqual(await result.json(), [{ text, list: [text, text] }], JSON.stringify(text));
  }
  const typed = await client.query({
    query:
      'SELECT {n:Nullable(Int8)} AS n, {d:DateTime64(3)} AS d, {m:Map(String, UInt8)} AS m, {b:Bool} AS b, {t:Identifier} AS t FROM (SELECT 7 AS col)',
    query_params: { n: null, d: new Date('2026-01-02T03:04:05.678Z'), m: { a: 1 }, b: true, t: 'col' },
    format: 'JSONEachRow',
  });
  assert.deepEqual(await typed.json(), [
    { n: null, d: '2026-01-02 03:04:05.678', m: { a: 1 }, b: true, t: 7 },
  ]);
});

test('query_params too long for a URL go as a form', async () => {
  const long = `${"it's\t\\".repeat(20_000)}ü`;
  for (const extra of [{ use_multipart_params: true }, { use_multipart_params_auto: true }]) {
    const result = await client.query({
      query: 'SELECT {long:String} AS long, {n:Int8} AS n',
      query_params: { long, n: 1 },
      format: 'JSONEachRow',
      ...extra,
    });
    assert.deepEqual(await result.json(), [{ long, n: 1 }]);
  }
});

function row(id: number) {
  return { id, name: `n'\t\n${id}`, tags: ['a', "b'"], at: '2026-01-02 03:04:05.678', n: null };
}

test('insert accepts arrays and streams, plain and compressed, and reports how many rows it wrote', async () => {
  for (const one of [client, compressed]) {
    await one.command({ query: 'TRUNCATE TABLE t' });
    const array = await one.insert({ table: 't', values: [row(1), row(2)], format: 'JSONEachRow' });
    assert.equal(array.summary?.written_rows, '2');
    const objects = Readable.from(
      Array.from({ length: 5000 }, (_, index) => row(index + 3)),
      { objectMode: true },
    );
    assert.equal(
      (await one.insert({ table: 't', values: objects, format: 'JSONEachRow' })).summary?.written_rows,
      '5000',
    );
    const csv = Readable.from(
      ['9001,"x",[],2026-01-01 00:00:00,\\N\n', '9002,"y",[],2026-01-01 00:00:00,1\n'],
      { objectMode: false },
    );
    assert.equal((await one.insert({ table: 't', values: csv, format: 'CSV' })).summary?.written_rows, '2');
    const columns = await one.insert({
      table: 't',
      values: [{ id: 9003 }],
      columns: ['id'],
      format: 'JSONEachRow',
    });
    assert.equal(columns.summary?.written_rows, '1');
    const result = await one.query({
      query: 'SELECT count() AS c, uniqExact(id) AS u, anyIf(name, id = 7) AS name FROM t',
      format: 'JSONEachRow',
    });
    assert.deepEqual(await result.json(), [{ c: 5005, u: 5005, name: "n'\t\n7" }]);
  }
});

test('one bad row fails the complete insert, and the error names the row', async () => {
  await client.command({ query: 'TRUNCATE TABLE t' });
  const values = [{ id: 1 }, { id: 'x' }];
  await assert.rejects(client.insert({ table: 't', values, format: 'JSONEachRow' }), /row 2/);
  const result = await client.query({ query: 'SELECT count() AS c FROM t', format: 'JSONEachRow' });
  assert.deepEqual(await result.json(), [{ c: 0 }]);
});

test('exec returns a stream, command nothing, and clickhouse_settings apply to one call', async () => {
  const { stream } = await client.exec({
    query: "SELECT getSetting('max_block_size') FORMAT TSV",
    clickhouse_settings: { max_block_size: '123' },
  });
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  assert.equal(text, '123\n');
  await client.command({ query: 'CREATE TABLE IF NOT EXISTS u (a UInt8) ENGINE = MergeTree ORDER BY a' });
  await client.command({ query: 'INSERT INTO u VALUES (1), (2)' });
  await client.command({ query: 'INSERT INTO u SELECT {a:UInt8}', query_params: { a: 3 } });
  const result = await client.query({
    query: 'SELECT groupArray(a) AS a FROM (SELECT a FROM u ORDER BY a)',
    format: 'JSONEachRow',
  });
  assert.deepEqual(await result.json(), [{ a: [1, 2, 3] }]);
});

test('abort_signal stops the statement in the engine, not only the request', async () => {
  const abort = new AbortController();
  const endless = client.query({
    query: 'SELECT sum(sipHash64(number)) AS endless FROM numbers(1000000000000)',
    abort_signal: abort.signal,
  });
  const running = async (): Promise<number> => {
    const result = await client.query({
      query:
        "SELECT count() AS c FROM system.processes WHERE query LIKE '%AS endless%' AND query NOT LIKE '%processes%'",
      format: 'JSONEachRow',
    });
    return Number((await result.json<{ c: number }>())[0]?.c);
  };
  while ((await running()) === 0);
  abort.abort();
  await assert.rejects(endless, /aborted/);
  while ((await running()) > 0);
});

test('a running read is killed by its query_id', async () => {
  const query_id = "kill-me-it's";
  const endless = client.query({
    query: 'SELECT sum(sipHash64(number)) AS forever FROM numbers(1000000000000)',
    query_id,
  });
  const outcome = endless.then(
    () => undefined,
    (error: unknown) => error,
  );
  const kill = async (): Promise<'again'> => {
    await client.command({ query: "KILL QUERY WHERE query_id = 'kill-me-it\\'s' SYNC" });
    return 'again';
  };
  while ((await Promise.race([outcome, kill()])) === 'again');
  const error = await outcome;
  assert.ok(error instanceof ClickHouseError && error.code === '394', String(error));
});

test('what is not supported is refused by name', async () => {
  await assert.rejects(client.query({ query: 'SELECT 1', session_id: 's' }), {
    code: '48',
    message: /session_id=s is not supported/,
  });
  await assert.rejects(client.query({ query: 'SELECT 1', role: 'r' }), {
    code: '48',
    message: /role=r is not supported/,
  });
});

test('query_id is returned, and is created where none is given', async () => {
  const given = await client.query({ query: 'SELECT 1', query_id: 'mine' });
  assert.equal(given.query_id, 'mine');
  assert.equal(given.response_headers['x-clickhouse-query-id'], 'mine');
  await given.text();
});

test('an unknown database is code 81', async () => {
  const lost = createClient({
    url: store.url,
    username: 'im',
    password: 'se cret:ü',
    database: 'nowhere',
    ...quiet,
  });
  await assert.rejects(lost.query({ query: 'SELECT 1' }), { code: '81', type: 'UNKNOWN_DATABASE' });
  await lost.close();
});
