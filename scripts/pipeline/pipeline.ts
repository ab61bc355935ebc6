/*
 * The whole pipeline for one test file: store, aggregator, collector and query service as built, as processes on
 * loopback, on the test run's broker under a topic prefix of its own. Stops and removes everything at the end.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Answer } from '@imscope/schemas/query-api/answers.js';
import { type Credentials, openCredentials } from '../stack/credentials.js';
import { freePort } from '../stack/ports.js';
import { type ManagedProcess, probeReady } from '../stack/process.js';
import { readMetric } from '../stack/read-metric.js';
import { type RunningService, type ServiceName, runServiceCommand, startService } from '../stack/services.js';
import { type RunningStore, startStore, storeEnv } from '../stack/store.js';

/** One of each service, and a second one where it is asked for: in the same group, or with a spool of its own. */
export type ProcessName = ServiceName | SecondName;
export type SecondName = 'aggregator-2' | 'collector-2';

export type PipelineOptions = {
  readonly seconds?: readonly SecondName[];
  /** Where whoever stands before the store must know it beforehand. */
  readonly storePort?: number;
};

/** Settings by process; a second one has those of the first, and its own over them. */
type ProcessSettings = Partial<Record<ProcessName, Record<string, string>>>;

export type Pipeline = {
  readonly collectorUrl: string;
  readonly secondCollectorUrl: string;
  readonly queryUrl: string;
  readonly credentials: Credentials;
  readonly kafka: { readonly broker: string; readonly topicPrefix: string };
  /** Settings of the aggregator, for the commands it has. */
  readonly aggregatorEnvironment: Readonly<Record<string, string>>;
  readonly store: ClickHouseClient;
  /** Asks the query service with the read token. Throws with the answer's text where it is no 200. */
  ask<T>(path: string): Promise<Answer<T>>;
  /** Rows of a SELECT over the tables themselves. */
  select<T>(sql: string): Promise<T[]>;
  /** Waits until `count()` of request_log is `rows`. Throws after `timeoutMs` with what is there instead. */
  untilStored(rows: number, timeoutMs?: number): Promise<void>;
  /** The process as it is now, also while it is being started. */
  process(name: ProcessName): ManagedProcess;
  /** The sum of a service's metric over its labels. Throws where there is none of this name. */
  metric(name: ProcessName, metric: string): Promise<number>;
  /** What `/ready` of a service lacks; undefined when it is ready. */
  lacks(name: ProcessName): Promise<string | undefined>;
  stop(name: ProcessName): Promise<void>;
  /** SIGKILL, also while it is being started: then that start fails. */
  kill(name: ProcessName): Promise<void>;
  /** Starts a stopped service again on its ports and data. */
  start(name: ProcessName): Promise<void>;
  end(): Promise<void>;
};

/** The broker of this test run, host:port. `./scripts/test` starts it. */
export function testBroker(): string {
  const address = process.env['IMSCOPE_TEST_KAFKA'];
  if (address === undefined || address === '') {
    throw new Error(
      'IMSCOPE_TEST_KAFKA is not set: run ./scripts/test, which starts a broker, or name one as host:port',
    );
  }
  return address;
}

type Processes = {
  /** Those that became ready, and those of them and others that were spawned last. */
  readonly running: Map<ProcessName, RunningService>;
  readonly spawned: Map<ProcessName, ManagedProcess>;
  readonly store: RunningStore;
  readonly kafka: Pipeline['kafka'];
  readonly aggregatorEnvironment: Pipeline['aggregatorEnvironment'];
  start(name: ProcessName): Promise<void>;
};

/** @param settings further settings by service, over the usual ones */
export async function startPipeline(
  settings: ProcessSettings = {},
  broker = testBroker(),
  options: PipelineOptions = {},
): Promise<Pipeline> {
  const directory = mkdtempSync(join(tmpdir(), 'imscope-pipeline-'));
  const credentials = openCredentials(join(directory, 'credentials'));
  const [collectorPort, secondPort, queryPort] = [await freePort(), await freePort(), await freePort()];
  const withPorts = {
    ...settings,
    collector: { COLLECTOR_PORT: String(collectorPort), ...settings.collector },
    'collector-2': { COLLECTOR_PORT: String(secondPort), ...settings['collector-2'] },
    query: { QUERY_PORT: String(queryPort), ...settings.query },
  };
  const parts = { directory, credentials, broker, settings: withPorts, options };
  const processes = await startProcesses(parts);
  const { running, spawned, store, start } = processes;
  const client = createClient({
    url: store.url,
    username: store.user,
    password: store.password,
    database: store.database,
    // What goes wrong comes back as a rejected promise.
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  const select = async <T>(sql: string): Promise<T[]> =>
    (await client.query({ query: sql, format: 'JSONEachRow' })).json<T>();
  const runningService = (name: ProcessName): RunningService => running.get(name) ?? failNotRunning(name);
  const spawnedProcess = (name: ProcessName): ManagedProcess => spawned.get(name) ?? failNotRunning(name);
  return {
    collectorUrl: `http://127.0.0.1:${collectorPort}`,
    secondCollectorUrl: `http://127.0.0.1:${secondPort}`,
    queryUrl: `http://127.0.0.1:${queryPort}`,
    credentials,
    kafka: processes.kafka,
    aggregatorEnvironment: processes.aggregatorEnvironment,
    store: client,
    ask: (path) => ask(`http://127.0.0.1:${queryPort}${path}`, credentials.readToken),
    select,
    untilStored: (rows, timeoutMs = 60_000) => untilStored(select, rows, timeoutMs),
    process: spawnedProcess,
    metric: (name, metric) => readMetric(runningService(name).adminPort, metric),
    lacks: (name) => probeReady(runningService(name).adminPort),
    stop: async (name) => {
      await spawnedProcess(name).stop();
    },
    kill: async (name) => {
      await spawnedProcess(name).kill();
    },
    start,
    end: async () => {
      await client.close();
      await endProcesses(spawned, directory);
    },
  };
}

/** Starts store, tables, topics and services in this order; what came up is stopped again where one does not. */
async function startProcesses(parts: {
  directory: string;
  credentials: Credentials;
  broker: string;
  settings: ProcessSettings;
  options: PipelineOptions;
}): Promise<Processes> {
  const { directory, broker, options } = parts;
  const { storePassword: password } = parts.credentials;
  const running = new Map<ProcessName, RunningService>();
  const spawned = new Map<ProcessName, ManagedProcess>();
  const logFile = (name: string): string => join(directory, `${name}.log`);
  const storePort = options.storePort ?? (await freePort());
  const startStoreAgain = async (): Promise<RunningStore> => {
    const dataDir = join(directory, 'store');
    const store = await startStore({
      dataDir,
      mode: 'built',
      password,
      port: storePort,
      logFile: logFile('store'),
      onSpawn: (process) => spawned.set('store', process),
    });
    running.set('store', store);
    return store;
  };
  try {
    const store = await startStoreAgain();
    const topicPrefix = `${randomBytes(6).toString('hex')}.`;
    const environments = environmentsOf({ ...parts, store, topicPrefix });
    const start = async (name: ProcessName): Promise<void> => {
      if (name === 'store') await startStoreAgain();
      else {
        const env = environments[name];
        const onSpawn = (process: ManagedProcess): void => void spawned.set(name, process);
        const service = {
          name: serviceOf(name),
          mode: 'built',
          env,
          logFile: logFile(name),
          onSpawn,
        } as const;
        running.set(name, await startService(service));
      }
    };
    const prepare = { name: 'aggregator', mode: 'built', env: environments.aggregator } as const;
    await runServiceCommand({ ...prepare, logFile: logFile('prepare') }, ['prepare']);
    for (const name of ['aggregator', 'collector', 'query', ...(options.seconds ?? [])] as const)
      await start(name);
    return {
      running,
      spawned,
      store,
      kafka: { broker, topicPrefix },
      aggregatorEnvironment: environments.aggregator,
      start,
    };
  } catch (error) {
    await endProcesses(spawned, directory);
    throw error;
  }
}

function environmentsOf(parts: {
  directory: string;
  credentials: Credentials;
  broker: string;
  topicPrefix: string;
  store: RunningStore;
  settings: ProcessSettings;
}): Record<Exclude<ProcessName, 'store'>, Record<string, string>> {
  const { directory, broker, topicPrefix, store, settings } = parts;
  const kafka = { KAFKA_BROKERS: broker, KAFKA_TOPIC_PREFIX: topicPrefix };
  const tokens = { REGISTRY_FILE: parts.credentials.registryFile };
  const aggregator = { ...kafka, ...storeEnv(store), ...settings.aggregator };
  // Nobody asks these collectors whether they are ready: a stop has nothing to wait for.
  const edge = { DRAIN_MS: '0', SPOOL_DIR: join(directory, 'spool') };
  const collector = { ...kafka, ...tokens, ...edge, ...settings.collector };
  const second = { SPOOL_DIR: join(directory, 'spool-2'), COLLECTOR_NAME: 'second' };
  return {
    aggregator,
    'aggregator-2': { ...aggregator, ...settings['aggregator-2'] },
    collector,
    'collector-2': { ...collector, ...second, ...settings['collector-2'] },
    query: { ...storeEnv(store), ...tokens, ...settings.query },
  };
}

function serviceOf(name: ProcessName): ServiceName {
  if (name === 'aggregator-2') return 'aggregator';
  return name === 'collector-2' ? 'collector' : name;
}

async function endProcesses(
  spawned: ReadonlyMap<ProcessName, ManagedProcess>,
  directory: string,
): Promise<void> {
  // Sources before sinks, so that nobody waits for one that is gone.
  const order = ['query', 'collector', 'collector-2', 'aggregator', 'aggregator-2', 'store'] as const;
  for (const name of order) await spawned.get(name)?.stop();
  rmSync(directory, { recursive: true, force: true });
}

function failNotRunning(name: ProcessName): never {
  throw new Error(`${name} was never started`);
}

async function ask<T>(url: string, token: string): Promise<Answer<T>> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return JSON.parse(text) as Answer<T>;
}

async function untilStored(
  select: <T>(sql: string) => Promise<T[]>,
  rows: number,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const [found] = await select<{ stored: number }>('SELECT count() AS stored FROM request_log');
    if (found?.stored === rows) return;
    if (Date.now() > deadline) {
      const ledger = await select(
        'SELECT partition, max(last_offset) AS last_offset, sum(rows) AS rows, sum(duplicate_rows) AS duplicate_rows, sum(dead_messages) AS dead_messages FROM block_ledger FINAL GROUP BY topic, partition ORDER BY topic, partition',
      );
      throw new Error(
        `${found?.stored ?? 0} rows stored after ${timeoutMs} ms, expected ${rows}; the ledger says ${JSON.stringify(ledger)}`,
      );
    }
    await delay(100);
  }
}

/** Rows are visible a moment before their block is booked. */
const BOOKED_MS_MAX = 30_000;

/** What must hold of the tables once nothing is on its way: every row once, and the ledger saying so. */
export async function assertBalanced(pipeline: Pipeline, rows: number): Promise<void> {
  const expected = JSON.stringify({ rows, places: rows, requests: rows, booked: rows });
  const deadline = Date.now() + BOOKED_MS_MAX;
  let found = await readBalance(pipeline);
  // Nothing but the booking is waited for: what is wrong otherwise is told at once.
  while (found.booked < rows && Date.now() < deadline) {
    await delay(100);
    found = await readBalance(pipeline);
  }
  if (JSON.stringify(found) !== expected) {
    throw new Error(`the books do not balance: ${JSON.stringify(found)}, expected ${expected}`);
  }
}

async function readBalance(pipeline: Pipeline) {
  const [stored] = await pipeline.select<{ rows: number; places: number; requests: number }>(
    'SELECT count() AS rows, uniqExact(block_id, block_row) AS places, uniqExact(request_id) AS requests FROM request_log',
  );
  const [booked] = await pipeline.select<{ rows: number }>(
    "SELECT sum(rows) AS rows FROM block_ledger FINAL WHERE topic LIKE '%im.request-log'",
  );
  return { ...stored, booked: booked?.rows ?? 0 };
}
