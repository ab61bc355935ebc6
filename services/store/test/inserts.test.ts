import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createClient } from '@clickhouse/client';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { containerHeader, wrapBlock } from '@imscope/schemas/container.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import { answerOf, ask, startStore, temporaryDirectory } from './running-store.js';

const scratch = temporaryDirectory({ after });
const store = await startStore({ after }, { STORE_SPOOL_DIR: scratch });
const client = createClient({ url: store.url, log: { level: 127 } });
after(() => client.close());

const STRUCTURE =
  'time DateTime64(3), sdk_app_id Int64, interface String, exit_ip FixedString(16), latency_us Int64, outcome String, cause String';
await answerOf(
  store,
  `CREATE TABLE log (time DateTime64(3), sdk_app_id UInt64, interface LowCardinality(String), exit_ip IPv6, latency_us UInt64,
   outcome Enum8('success' = 0, 'caller_error' = 1, 'service_error' = 2, 'unknown' = 3), cause String, block_id UInt64, block_row UInt32)
   ENGINE = MergeTree ORDER BY (sdk_app_id, time) SETTINGS non_replicated_deduplication_window = 1000`,
);
const INSERT = `INSERT INTO log (time, sdk_app_id, interface, exit_ip, latency_us, outcome, cause, block_id, block_row)
  SELECT time, sdk_app_id, interface, exit_ip, latency_us, outcome, cause, {block_id:UInt64}, rowNumberInAllBlocks()
  FROM input('${STRUCTURE}') FORMAT Avro`;

/** Containers joined after one header, as the aggregator does; every byte value occurs in address and latency. */
function containers(blocks: number, rows: number): Buffer {
  const header = containerHeader(REQUEST_LOG_SCHEMA);
  const parts = Array.from({ length: blocks }, (_, block) => {
    const records = Array.from({ length: rows }, (__, row) =>
      REQUEST_LOG_SCHEMA.type.toBuffer(record(block * rows + row)),
    );
    return wrapBlock(REQUEST_LOG_SCHEMA, rows, Buffer.concat(records)).subarray(header.length);
  });
  return Buffer.concat([header, ...parts]);
}

function record(id: number): RequestLog {
  const unknown = { node: '', region: '', platform: '', sdk_version: '', request_id: '', exception: '' };
  return {
    ...unknown,
    time: 1_770_000_000_000 + id,
    sdk_app_id: 1_400_000_000 + (id % 7),
    interface: 'openim/sendmsg',
    exit_ip: Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, id >> 16, id >> 8, id, 39]),
    latency_us: id,
    upstream_us: null,
    rtt_us: null,
    code: 0,
    http_status: 200,
    outcome: 'service_error',
    cause: `it's\n\\ "${id}"\0`,
    weight: 1,
  };
}

const insert = async (body: Buffer, token: string, block: string): Promise<string | undefined> => {
  const values = Readable.from([body.subarray(0, 100), body.subarray(100)], { objectMode: false });
  const { stream, summary } = await client.exec({
    query: INSERT,
    values,
    query_params: { block_id: block },
    clickhouse_settings: { insert_deduplication_token: token, wait_end_of_query: 1, async_insert: 0 },
  });
  await stream.resume().toArray();
  return summary?.written_rows;
};

test('an Avro body is inserted unchanged through input(), with query parameters and row numbers', async () => {
  assert.equal(await insert(containers(100, 500), 'a', '18446744073709551615'), '50000');
  const facts = await answerOf(
    store,
    `SELECT count(), uniqExact(block_row), min(block_row), max(block_row), any(block_id), sum(latency_us), uniqExact(exit_ip),
     countIf(cause = concat('it\\'s\\n\\\\ "', toString(latency_us), '"\\0')), countIf(block_row = latency_us),
     countIf(outcome = 'service_error'), toString(any(interface)) FROM log`,
  );
  assert.equal(
    facts,
    '50000\t50000\t0\t49999\t18446744073709551615\t1249975000\t50000\t50000\t50000\t50000\topenim/sendmsg',
  );
});

test('a block is stored once per token', async () => {
  await answerOf(store, 'TRUNCATE TABLE log');
  const body = containers(4, 500);
  await insert(body, 'once', '1');
  await insert(body, 'once', '1');
  assert.equal(await answerOf(store, 'SELECT count() FROM log'), '2000');
  await insert(body, 'twice', '2');
  assert.equal(await answerOf(store, 'SELECT count() FROM log'), '4000');
});

test('forty blocks, four of them at a time, are all stored, each once', async () => {
  await answerOf(store, 'TRUNCATE TABLE log');
  const body = containers(10, 500);
  let next = 0;
  await Promise.all(
    [1, 2, 3, 4].map(async () => {
      for (let block = next++; block < 40; block = next++) await insert(body, `side-${block}`, String(block));
    }),
  );
  assert.equal(
    await answerOf(store, 'SELECT count(), uniqExact(block_id), uniqExact(block_id, block_row) FROM log'),
    '200000\t40\t200000',
  );
});

test('a container without records stores nothing and is not an error', async () => {
  await answerOf(store, 'TRUNCATE TABLE log');
  assert.equal(await insert(containerHeader(REQUEST_LOG_SCHEMA), 'marker', '1'), '0');
  assert.equal(await answerOf(store, 'SELECT count() FROM log'), '0');
});

test('an incomplete container, or bytes that are none, store no row', async () => {
  await answerOf(store, 'TRUNCATE TABLE log');
  const body = containers(4, 500);
  await assert.rejects(insert(body.subarray(0, body.length - 100), 'torn', '1'));
  await assert.rejects(insert(Buffer.from('{"a":1}'), 'none', '1'));
  assert.equal(await answerOf(store, 'SELECT count() FROM log'), '0');
});

test('statement and data may come in one body, with any bytes in the data', async () => {
  await answerOf(store, 'CREATE TABLE raw (a String) ENGINE = MergeTree ORDER BY a');
  const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const body = Buffer.concat([Buffer.from('INSERT INTO raw FORMAT RawBLOB\n'), everyByte]);
  const response = await fetch(store.url, { method: 'POST', body });
  assert.equal(response.status, 200, await response.text());
  assert.equal(await answerOf(store, 'SELECT hex(a) FROM raw'), everyByte.toString('hex').toUpperCase());
});

test('every common format is accepted, in body, URL, or both', async () => {
  await answerOf(store, "CREATE TABLE f (a UInt32, b String DEFAULT 'none') ENGINE = MergeTree ORDER BY a");
  const bodies: [string, string][] = [
    ['INSERT INTO f FORMAT JSONEachRow', '{"a":1,"b":"x"}\n{"a":2}\n'],
    ['INSERT INTO f FORMAT CSV', '1,"x"\n2,none\n'],
    ['INSERT INTO f FORMAT TabSeparated', '1\tx\n2\tnone\n'],
    ['INSERT INTO f FORMAT CSVWithNames', 'b,a\nx,1\nnone,2\n'],
    ['INSERT INTO f VALUES', "(1, 'x'), (2, 'none')"],
    ["INSERT INTO f (b, a) VALUES ('x', 1),", "('none', 2)"],
    ['INSERT INTO f (a, b) SETTINGS input_format_csv_detect_header = 0 FORMAT CSV', '1,x\n2,none\n'],
    [
      "INSERT INTO f SELECT a, if(b = '', 'none', b) FROM input('a UInt32, b String') FORMAT TSV",
      '1\tx\n2\t\n',
    ],
  ];
  for (const [sql, data] of bodies) {
    for (const [query, body] of [
      [sql, data],
      ['', `${sql}\n${data}`],
    ] as const) {
      await answerOf(store, 'TRUNCATE TABLE f');
      const response = await fetch(`${store.url}/?query=${encodeURIComponent(query)}`, {
        method: 'POST',
        body,
      });
      assert.equal(response.status, 200, `${sql}: ${await response.text()}`);
      assert.equal(await answerOf(store, 'SELECT a, b FROM f ORDER BY a'), '1\tx\n2\tnone', sql);
    }
  }
});

test('an insert without bytes is code 108, unless a setting allows it', async () => {
  const empty = await ask(store, '', { parameters: { query: 'INSERT INTO f FORMAT JSONEachRow' } });
  assert.equal(empty.code, '108');
  const parameters = { query: 'INSERT INTO f FORMAT JSONEachRow', throw_if_no_data_to_insert: '0' };
  assert.equal((await ask(store, '', { parameters })).status, 200);
});

test('the data of an insert may be gzip', async () => {
  await answerOf(store, 'TRUNCATE TABLE f');
  const response = await fetch(`${store.url}/?query=INSERT%20INTO%20f%20FORMAT%20CSV`, {
    method: 'POST',
    body: gzipSync(Array.from({ length: 50_000 }, (_, row) => `${row},x\n`).join('')),
    headers: { 'Content-Encoding': 'gzip' },
  });
  assert.equal(response.status, 200, await response.text());
  assert.equal(await answerOf(store, 'SELECT count(), max(a) FROM f'), '50000\t49999');
});

test('the data of a client that disconnected is not inserted', async () => {
  await answerOf(store, 'TRUNCATE TABLE f');
  const sending = (): ClientRequest =>
    request(`${store.url}/?query=INSERT%20INTO%20f%20FORMAT%20CSV`, { method: 'POST' });
  const outgoing = sending();
  outgoing.on('error', () => undefined);
  await new Promise((resolve) => outgoing.write('1,x\n2,y\n', resolve));
  while (bodyFiles().length === 0) await answerOf(store, 'SELECT 1');
  const closed = new Promise((resolve) => outgoing.once('close', resolve));
  outgoing.destroy();
  await closed;
  while (bodyFiles().length > 0) await answerOf(store, 'SELECT 1');
  assert.equal(await answerOf(store, 'SELECT count() FROM f'), '0');
});

/** Names of the files with bodies in the scratch directory. */
function bodyFiles(): string[] {
  return readdirSync(scratch, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\/[0-9a-f-]{36}$/.test(name),
  );
}

test('no scratch file remains after successful and failed inserts', () => {
  assert.deepEqual(bodyFiles(), []);
});
