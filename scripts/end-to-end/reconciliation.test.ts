/*
 * `imscope ledger check` over the pipeline: it finds nothing after traffic, and names each fault put into the store by
 * block, partition, incarnation, application and minute. Each fault is repaired before the next.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import type { LedgerReport } from '@imscope/aggregator/reconcile/check-ledger.js';
import { openCollector } from '../simulate-gateway/collector-client.js';
import { createTraffic } from '../simulate-gateway/generate.js';
import { sendHistory } from '../simulate-gateway/send.js';
import { Truth } from '../simulate-gateway/truth.js';
import { REPO_ROOT } from '../stack/repo-root.js';
import { assertReconciled, reconcileSettled } from '../pipeline/reconcile-settled.js';
import { type Pipeline, startPipeline } from '../pipeline/pipeline.js';

const RECORDS = 6_000;
const ROUNDS = 8;
let pipeline: Pipeline;

before(async () => {
  // Eight rounds over two partitions: at least one partition has a block between two others.
  pipeline = await startPipeline({
    aggregator: { MARKER_AGE_MS: '200', TOPIC_PARTITIONS: '2', RECONCILE_INTERVAL_S: '3' },
  });
  // Two incarnations, so that a fault of one is distinguished from the other.
  for (let round = 0; round < ROUNDS; round++) {
    if (!pipeline.process('collector').isRunning()) await pipeline.start('collector');
    await send(round, RECORDS / ROUNDS);
    await pipeline.untilStored(((round + 1) * RECORDS) / ROUNDS);
    if (round === ROUNDS / 2) await pipeline.stop('collector');
  }
  await assertReconciled(pipeline);
});

after(() => pipeline.end());

async function send(seed: number, count: number): Promise<void> {
  const traffic = createTraffic({ seed, applications: 5 });
  const truth = new Truth(traffic.applications, traffic.series, false);
  const { collectorUrl: url, credentials } = pipeline;
  const client = openCollector({ url, token: credentials.writeToken, connections: 4, giveUpAfterMs: 30_000 });
  const toMs = Date.now();
  // Includes records that are too late for the metrics, that is more than an hour old.
  await sendHistory({ traffic, client, truth, fromMs: toMs - 2 * 3_600_000, toMs, count });
  await client.close();
  assert.equal(truth.totals().acknowledged, count);
}

async function ledgerCheck(
  args: readonly string[] = [],
  changed: Readonly<Record<string, string>> = {},
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const main = join(REPO_ROOT, 'services', 'cli', 'bin', 'imscope.js');
  const child = spawn(process.execPath, [main, 'ledger', 'check', ...args], {
    env: { ...process.env, ...pipeline.aggregatorEnvironment, ...changed },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr };
}

async function faults(): Promise<LedgerReport['differences']> {
  return (await reconcileSettled(pipeline)).differences;
}

/** Waits until the aggregator's own pass reports this many differences. */
async function untilDifferences(count: number): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const reported = await pipeline.metric('aggregator', 'imscope_aggregator_reconcile_differences');
    if (reported === count) return;
    assert.ok(Date.now() < deadline, `the aggregator reports ${reported} differences, not ${count}`);
    await delay(200);
  }
}

/** One difference has all these values. */
function assertNamed(differences: readonly object[], named: Readonly<Record<string, unknown>>): void {
  const found = differences.some((difference) =>
    Object.entries(named).every(([name, value]) => (difference as Record<string, unknown>)[name] === value),
  );
  assert.ok(found, `${JSON.stringify(named)} is not among ${JSON.stringify(differences, undefined, 1)}`);
}

async function run(query: string): Promise<void> {
  await pipeline.store.command({
    query,
    clickhouse_settings: { mutations_sync: '2', insert_deduplicate: 0 },
  });
}

type Block = { block: string; partition: number; first_offset: number; last_offset: number; rows: number };

/** A block of request logs between two others. */
async function someBlock(): Promise<Block & { boot: string; first_sequence: number }> {
  const [block] = await pipeline.select<Block & { boot: string; first_sequence: number }>(`
    SELECT toString(block_ids[1]) AS block, partition, first_offset, last_offset, rows, batches[1].1 AS boot,
      batches[1].2 AS first_sequence
    FROM block_ledger AS this FINAL
    WHERE endsWith(topic, 'im.request-log') AND rows > 0 AND first_offset > 0 AND (partition, first_offset) NOT IN (
      SELECT partition, max(first_offset) FROM block_ledger WHERE endsWith(topic, 'im.request-log') GROUP BY partition)
    ORDER BY rows DESC LIMIT 1`);
  assert.ok(block !== undefined, 'there is no block between two others');
  return block;
}

test('after traffic the accounting agrees, and the command names what it compared', async () => {
  const { code, stdout, stderr } = await ledgerCheck();
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^rows +6,000 rows of \d+ blocks, \d+ accounts$/m);
  assert.match(stdout, /^boots +\d+ batches of 2 boots of 1 collector$/m);
  assert.match(stdout, /^metrics +\d+ minutes of \d+ applications, up to /m);
  assert.match(stdout, /\nLedger, accounts and rows agree\.\n$/);
  assert.equal(stderr, '');
  const json = await ledgerCheck(['--json', '--from', '1h']);
  assert.equal(json.stderr, '');
  assert.deepEqual((JSON.parse(json.stdout) as LedgerReport).differences, []);
});

test('wrong options and a store that does not answer exit with 2 and name what is allowed', async () => {
  const wrong = await ledgerCheck(['--from', 'yesterday']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--from is "yesterday"\n.*15m\|24h\|6d/);
  const away = await ledgerCheck([], { STORE_URL: 'http://127.0.0.1:9' });
  assert.equal(away.code, 2);
  assert.match(away.stderr, /the store at http:\/\/127\.0\.0\.1:9 cannot be asked: /);
});

test('a deleted row is named by its block and place, application and minute', async () => {
  const [row] = await pipeline.select<
    Record<'block' | 'minute', string> & Record<'block_row' | 'app', number>
  >(`
    SELECT toString(block_id) AS block, block_row, sdk_app_id AS app, formatDateTime(toStartOfMinute(time), '%FT%H:%i:00Z') AS minute
    FROM request_log ORDER BY time DESC LIMIT 1`);
  assert.ok(row !== undefined);
  const where = `block_id = ${row.block} AND block_row = ${row.block_row}`;
  await run('CREATE TABLE kept_row AS request_log');
  await run(`INSERT INTO kept_row SELECT * FROM request_log WHERE ${where}`);
  await run(`ALTER TABLE request_log DELETE WHERE ${where}`);
  const differences = await faults();
  const words = `1 row is missing: block_row ${row.block_row}`;
  assertNamed(differences, { check: 'rows', kind: 'missing_rows', block: row.block, words });
  assertNamed(differences, {
    check: 'metrics',
    kind: 'missing_logs',
    sdk_app_id: row.app,
    minute: row.minute,
  });
  assert.equal(differences.length, 2);
  const [{ code, stdout, stderr }] = await Promise.all([ledgerCheck(['--settled']), untilDifferences(2)]);
  assert.equal(code, 1, stderr);
  assert.match(stdout, new RegExp(`block ${row.block}\\n.*block_row ${row.block_row}$`, 'm'));
  assert.match(stdout, new RegExp(`application ${row.app} at ${row.minute.slice(0, 16)}Z`));
  assert.match(
    readFileSync(pipeline.process('aggregator').logFile, 'utf8'),
    /ledger, accounts and rows differ: 1 row is missing/,
  );
  await run('INSERT INTO request_log SELECT * FROM kept_row');
  assert.deepEqual(await faults(), []);
  await untilDifferences(0);
});

test('a block stored twice is named, with the applications and minutes that have more rows than counted', async () => {
  const { block, partition, first_offset, rows } = await someBlock();
  const where = `block_id = ${block}`;
  await run('CREATE TABLE kept_block AS request_log');
  await run(`INSERT INTO kept_block SELECT * FROM request_log WHERE ${where}`);
  await run('INSERT INTO request_log SELECT * FROM kept_block');
  const differences = await faults();
  const doubled = { expected: rows, found: 2 * rows, words: 'all its rows are there twice' };
  assertNamed(differences, {
    check: 'rows',
    kind: 'doubled_rows',
    block,
    partition,
    first_offset,
    ...doubled,
  });
  const counted = differences.filter(({ check, kind }) => check === 'metrics' && kind === 'missing_metrics');
  assert.ok(counted.length > 0 && counted.length === differences.length - 1, JSON.stringify(differences));
  await run(`ALTER TABLE request_log DELETE WHERE ${where}`);
  await run('INSERT INTO request_log SELECT * FROM kept_block');
  assert.deepEqual(await faults(), []);
});

test('a deleted account and one with fewer records are named by incarnation and partition', async () => {
  const [account] = await pipeline.select<{ boot: string; sequence: number }>(
    'SELECT boot, sequence FROM edge_account WHERE final ORDER BY time LIMIT 1',
  );
  assert.ok(account !== undefined);
  const { boot, sequence } = account;
  const where = `boot = '${boot}' AND sequence = ${sequence}`;
  await run('CREATE TABLE kept_account AS edge_account');
  await run(`INSERT INTO kept_account SELECT * FROM edge_account WHERE ${where}`);
  await run(`ALTER TABLE edge_account DELETE WHERE ${where}`);
  const dropped = await faults();
  assertNamed(dropped, { check: 'rows', kind: 'missing_accounts', boot });
  assert.ok(
    dropped.every((difference) => difference.boot === boot),
    JSON.stringify(dropped),
  );
  await run(`INSERT INTO edge_account SELECT * REPLACE (
    arrayMap(part -> if(part.1 = 'im.request-log', (part.1, part.2, part.3, part.4 - 7), part), partitions) AS partitions)
    FROM kept_account`);
  const fewer = await faults();
  const [part] = fewer;
  assertNamed(fewer, { check: 'boots', kind: 'record_sum', boot, found: (part?.expected ?? 0) + 7 });
  assert.ok(fewer.every(({ kind, partition }) => kind === 'record_sum' && partition !== undefined));
  await run(`ALTER TABLE edge_account DELETE WHERE ${where}`);
  await run('INSERT INTO edge_account SELECT * FROM kept_account');
  assert.deepEqual(await faults(), []);
});

test('a lost message is named by offsets, incarnation and sequence, and by what the metrics counted', async () => {
  const { block, partition, first_offset, last_offset, boot, first_sequence } = await someBlock();
  const [later] = await pipeline.select<{ batches: number }>(`
    SELECT count() AS batches FROM (SELECT arrayJoin(batches) AS batch FROM block_ledger FINAL
      WHERE endsWith(topic, 'im.request-log') AND partition = ${partition} AND first_offset > ${first_offset})
    WHERE batch.1 = '${boot}'`);
  // A gap before a stored batch is a certain loss; after the last one the collector may still have the batch.
  const kind = later?.batches === 0 ? 'unsent_batches' : 'missing_batches';
  const where = `endsWith(topic, 'im.request-log') AND partition = ${partition} AND first_offset = ${first_offset}`;
  await run('CREATE TABLE kept_ledger AS block_ledger');
  await run(`INSERT INTO kept_ledger SELECT * FROM block_ledger WHERE ${where}`);
  await run(`ALTER TABLE block_ledger DELETE WHERE ${where}`);
  const unrecorded = await faults();
  assertNamed(unrecorded, { check: 'offsets', kind: 'offset_gap', partition, first_offset, last_offset });
  assertNamed(unrecorded, {
    check: 'rows',
    kind: 'unbooked_rows',
    block,
    partition,
    first_offset,
    last_offset,
  });
  assertNamed(unrecorded, { check: 'boots', kind, partition, boot, first_sequence });
  await run('CREATE TABLE kept_rows AS request_log');
  await run(`INSERT INTO kept_rows SELECT * FROM request_log WHERE block_id = ${block}`);
  await run(`ALTER TABLE request_log DELETE WHERE block_id = ${block}`);
  const lost = await faults();
  assertNamed(lost, { check: 'offsets', kind: 'offset_gap', partition, first_offset, last_offset });
  assertNamed(lost, { check: 'boots', kind, partition, boot, first_sequence });
  assert.ok(lost.some(({ kind, sdk_app_id, minute }) => kind === 'missing_logs' && sdk_app_id && minute));
  await run('INSERT INTO request_log SELECT * FROM kept_rows');
  await run('INSERT INTO block_ledger SELECT * FROM kept_ledger');
  assert.deepEqual(await faults(), []);
});
