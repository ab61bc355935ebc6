/*
 * A collector that is killed under load, with records in its spool that Kafka never got, and whose disk is lost. Until it
 * is retired, answers are unknown and reconciliation differs; then the loss is known and within its bound, and nothing
 * differs. When its disk is found after all, every record is stored once, and the loss is taken back.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { readRunningBalance } from '@imscope/accounting/running/read-running-balance.js';
import { RunningBalance } from '@imscope/accounting/running/running-balance.js';
import { SETTINGS } from '@imscope/aggregator/config.js';
import { accountingAsk, storeAsk } from '@imscope/aggregator/store/store-ask.js';
import { runRetire } from '@imscope/aggregator/retire/run-retire.js';
import { assess } from '@imscope/query/completeness/assess.js';
import { loadConfig } from '@imscope/runtime/config.js';
import type { CollectorRow } from '@imscope/schemas/query-api/collectors.js';
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import { untilRecorded, untilSpoolEmpty } from '../pipeline/caught-up.js';
import { type PipelineWithBroker, startPipelineWithBroker } from '../pipeline/pipeline.js';
import { reconcileSettled } from '../pipeline/reconcile-settled.js';
import { until } from '../pipeline/until.js';
import { openCollector } from '../simulate-gateway/collector-client.js';
import { createTraffic } from '../simulate-gateway/generate.js';
import { sendLive } from '../simulate-gateway/send.js';
import { Truth } from '../simulate-gateway/truth.js';
import { REPO_ROOT } from '../stack/repo-root.js';

const BROKER_HEAP_MB = 384;
const WAIT_MS_MAX = 120_000;
/** Longer than a collector may be silent. */
const LATER_MS = 150_000;
const LOST = 'edge-lost';

const dir = mkdtempSync(join(tmpdir(), 'imscope-retired-'));
const spool = join(dir, 'spool');
const traffic = createTraffic({ seed: 77, applications: 4 });
const truth = new Truth(traffic.applications, traffic.series, false);
const fromMs = Date.now();
let pipeline: PipelineWithBroker;

before(async () => {
  pipeline = await startPipelineWithBroker(
    BROKER_HEAP_MB,
    {
      collector: { ACCOUNT_INTERVAL_MS: '1000', COLLECTOR_NAME: 'edge-kept' },
      'collector-2': { COLLECTOR_NAME: LOST, SPOOL_DIR: spool },
      aggregator: { MARKER_AGE_MS: '200' },
    },
    { seconds: ['collector-2'] },
  );
});

after(async () => {
  await pipeline.end();
  rmSync(dir, { recursive: true, force: true });
});

/** Sends to a collector until so many more records are acknowledged. */
async function send(url: string, records: number, ratePerSecond: number): Promise<void> {
  const { writeToken: token } = pipeline.credentials;
  const client = openCollector({ url, token, connections: 4, giveUpAfterMs: 60_000 });
  const goal = truth.totals().acknowledged + records;
  const stop = new AbortController();
  const sending = sendLive({ traffic, client, truth, ratePerSecond, stopping: stop.signal });
  await until('records are acknowledged', async () => truth.totals().acknowledged >= goal, WAIT_MS_MAX);
  stop.abort();
  await sending;
  await client.close();
}

async function completenessAt(nowMs: number, toMs: number): Promise<Completeness> {
  const balance = new RunningBalance();
  await readRunningBalance(accountingAsk(storeAsk(pipeline.store)), balance, nowMs);
  return assess(balance, { fromMs, toMs }, nowMs);
}

async function collectorsOf(name: string): Promise<CollectorRow[]> {
  const { data } = await pipeline.ask<CollectorRow[]>('/v1/collectors');
  return data.filter(({ collector }) => collector === name);
}

async function stored(): Promise<number> {
  const [row] = await pipeline.select<{ rows: string }>('SELECT count() AS rows FROM request_log');
  return Number(row?.rows);
}

async function untilAllRecorded(): Promise<void> {
  // It ends where a broker stays away; a supervisor would start it again.
  if (!pipeline.process('aggregator').isRunning()) await pipeline.start('aggregator');
  await untilSpoolEmpty((metric) => pipeline.metric('collector', metric), WAIT_MS_MAX);
  await untilRecorded(pipeline.kafka, pipeline.select, WAIT_MS_MAX);
}

type Retired = { missing: number; unaccounted_max: number; boot: string };

/** As `imscope collector retire` does, at a time when the collector is silent for long enough. */
async function retire(
  options: readonly string[],
  confirm?: () => Promise<string>,
): Promise<{ code: number; retired: Retired[]; output: string }> {
  const written: string[] = [];
  const code = await runRetire([LOST, '--reason=its disk is lost', '--json', ...options], {
    loadSettings: () => loadConfig(SETTINGS, pipeline.aggregatorEnvironment),
    write: (line) => written.push(line),
    writeError: (line) => written.push(line),
    userName: 'operator',
    confirm,
    nowMs: () => Date.now() + LATER_MS,
  });
  const output = written.join('');
  const parsed = code === 0 ? (JSON.parse(output) as { retired: Retired[] }) : { retired: [] };
  return { code, output, retired: parsed.retired };
}

async function imscope(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const main = join(REPO_ROOT, 'services', 'cli', 'bin', 'imscope.js');
  const child = spawn(process.execPath, [main, 'collector', ...args], {
    env: {
      ...process.env,
      ...pipeline.aggregatorEnvironment,
      IMSCOPE_READ_TOKEN: pipeline.credentials.readToken,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr };
}

let killedMs: number;

test('a collector that is killed and loses its disk makes its windows unknown, and reconciliation differ', async () => {
  await send(pipeline.collectorUrl, 3_000, 1_500);
  await send(pipeline.secondCollectorUrl(), 4_000, 2_000);
  await until('its account is stored', async () =>
    (await collectorsOf(LOST)).some(({ records }) => records.sent > 0),
  );
  const listed = await imscope('list', `--query=${pipeline.queryUrl}`);
  assert.match(listed.stdout, /edge-lost +[0-9a-z]{16} +live/, listed.stderr);
  const heard = await imscope('retire', LOST, '--reason=it runs', '--yes');
  assert.equal(heard.code, 1);
  assert.match(heard.stderr, /"edge-lost" is heard .*silent for two minutes/);
  await pipeline.broker.kill();
  // Only its spool has these.
  await send(pipeline.secondCollectorUrl(), 500, 500);
  await pipeline.kill('collector-2');
  killedMs = Date.now();
  renameSync(spool, `${spool}-lost`);
  await pipeline.broker.restart();
  await untilAllRecorded();
  assert.ok((await stored()) < truth.totals().acknowledged, 'nothing was lost');
  const { status, silent_collectors: silent } = await completenessAt(Date.now() + LATER_MS, killedMs);
  assert.equal(status, 'unknown');
  assert.ok(silent.some(({ collector }) => collector === LOST));
  const kinds = (await reconcileSettled(pipeline)).differences.map(({ kind }) => kind);
  assert.ok(kinds.includes('silent_boot'), kinds.join());
});

test('its retirement states and books a loss that is at least what is lost, and ends unknown and differences', async () => {
  const dry = await retire(['--dry-run']);
  const unsure = await retire([], async () => 'edge-kept');
  assert.equal(unsure.code, 1);
  assert.match(unsure.output, /nothing was retired/);
  const { code, retired, output } = await retire(['--yes', `--stopped=${new Date(killedMs).toISOString()}`]);
  assert.equal(code, 0, output);
  assert.equal(retired[0]?.boot, dry.retired[0]?.boot);
  const lost = truth.totals().acknowledged - (await stored());
  const booked = retired.reduce((sum, one) => sum + one.missing + one.unaccounted_max, 0);
  assert.ok(booked >= lost, `${booked} are booked, ${lost} are lost`);
  const [row, ...others] = await collectorsOf(LOST);
  assert.deepEqual([row?.state, row?.retirement?.by, others], ['retired', 'operator', []]);
  const completeness = await completenessAt(Date.now() + LATER_MS, killedMs);
  assert.ok(!completeness.silent_collectors.some(({ collector }) => collector === LOST));
  assert.ok((completeness.retired?.lost_max ?? 0) >= lost, JSON.stringify(completeness));
  assert.ok((completeness.ratio ?? 1) < 1);
  await pipeline.stop('collector');
  await untilRecorded(pipeline.kafka, pipeline.select, WAIT_MS_MAX);
  const { status, missing_max: missing } = await completenessAt(Date.now() + LATER_MS, killedMs);
  assert.equal(status, 'partial');
  assert.ok(missing !== undefined && missing !== null && missing >= lost && missing <= booked);
  const report = await reconcileSettled(pipeline);
  assert.deepEqual(report.differences, []);
  assert.deepEqual(
    report.retired.map(({ collector, by }) => [collector, by]),
    [[LOST, 'operator']],
  );
});

test('it is retired once: what ended or is retired is refused', async () => {
  const { code, output } = await retire(['--yes']);
  assert.equal(code, 1);
  assert.match(output, /ended cleanly or are retired/);
});

test('when its disk is found, its records are stored once, and the loss is taken back and reported', async () => {
  renameSync(`${spool}-lost`, spool);
  await pipeline.start('collector-2');
  await pipeline.untilStored(truth.totals().acknowledged, WAIT_MS_MAX);
  await pipeline.stop('collector-2');
  await untilRecorded(pipeline.kafka, pipeline.select, WAIT_MS_MAX);
  assert.equal(await stored(), truth.totals().acknowledged);
  await until('the accounts are read', async () =>
    (await collectorsOf(LOST)).some(({ retirement }) => retirement?.taken_back === true),
  );
  const { status, ratio, retired } = await completenessAt(Date.now() + LATER_MS, killedMs);
  assert.deepEqual([status, ratio, retired], ['complete', 1, undefined]);
  const report = await reconcileSettled(pipeline);
  assert.deepEqual(
    report.differences.map(({ kind, collector }) => [kind, collector]),
    [['retired_returned', LOST]],
  );
  assert.deepEqual(report.retired, []);
});
