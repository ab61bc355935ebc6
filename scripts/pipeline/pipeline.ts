/*
 * The complete pipeline for one test file: store, aggregator, collector and query service as built, as processes on
 * loopback, on the test run's broker under a separate topic prefix. Stops and removes everything at the end.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Answer } from '@imscope/schemas/query-api/envelope.js';
import type { Broker } from '../stack/broker.js';
import type { Credentials } from '../stack/credentials.js';
import { type ManagedProcess, probeReady } from '../stack/process.js';
import { readMetric } from '../stack/read-metric.js';
import type { Env, StoreAddress } from '../stack/service-env.js';
import type { RunningService, ServiceName } from '../stack/services.js';
import { BROKER_PART, type Stack, startStack } from '../stack/stack.js';
import { testBroker } from '../stack/test-broker.js';

/** One of each service, and a second one where `seconds` names it: in the same group, or with a separate spool. */
export type ProcessName = ServiceName | SecondName;
export type SecondName = 'aggregator-2' | 'collector-2';

export type PipelineOptions = {
  readonly seconds?: readonly SecondName[];
  /** For a proxy in front of the store that is started before it. */
  readonly storePort?: number;
};

/** Settings by process; a second one has those of the first, and its own over them. */
export type PipelineSettings = Partial<Record<Exclude<ProcessName, 'store'>, Env>>;

export type Pipeline = {
  readonly collectorUrl: string;
  /** Throws where `seconds` does not name the second collector. */
  secondCollectorUrl(): string;
  readonly queryUrl: string;
  readonly credentials: Credentials;
  readonly kafka: { readonly broker: string; readonly topicPrefix: string };
  /** Settings of the aggregator, for the commands it has. */
  readonly aggregatorEnvironment: Env;
  readonly store: ClickHouseClient;
  /** Asks the query service with the read token. Throws with the answer's text unless its status is 200. */
  ask<T>(path: string): Promise<Answer<T>>;
  /** Rows of a SELECT over the tables themselves. */
  select<T>(sql: string): Promise<T[]>;
  /** Waits until `count()` of request_log is `rows`. Throws after `timeoutMs` with what is there instead. */
  untilStored(rows: number, timeoutMs?: number): Promise<void>;
  /** Makes topics and tables that are missing, with the aggregator's settings. */
  prepare(): Promise<void>;
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

/** A pipeline with a separate broker, which may be stopped and killed. */
export type PipelineWithBroker = Pipeline & {
  readonly broker: Broker;
  /** The broker's process as it is now, also while it is being started. */
  brokerProcess(): ManagedProcess;
};

/** Starts a pipeline on the broker of this test run. @param settings over the usual ones */
export async function startPipeline(
  settings: PipelineSettings = {},
  options: PipelineOptions = {},
): Promise<Pipeline> {
  const broker = testBroker();
  const topicPrefix = newTopicPrefix();
  return startStack({ name: 'pipeline', mode: 'built', broker, topicPrefix }, (stack) =>
    startOn(stack, { broker, topicPrefix }, settings, options),
  );
}

/** Starts a pipeline with a separate broker. @param settings over the usual ones */
export async function startPipelineWithBroker(
  brokerHeapMb: number,
  settings: PipelineSettings = {},
  options: PipelineOptions = {},
): Promise<PipelineWithBroker> {
  const topicPrefix = newTopicPrefix();
  return startStack({ name: 'pipeline', mode: 'built', topicPrefix }, async (stack) => {
    const broker = await stack.startBroker({ heapMb: brokerHeapMb });
    const pipeline = await startOn(stack, { broker: broker.address, topicPrefix }, settings, options);
    return { ...pipeline, broker, brokerProcess: () => stack.process(BROKER_PART) };
  });
}

/** Starts store, tables, topics and services, sinks first. */
async function startOn(
  stack: Stack,
  kafka: Pipeline['kafka'],
  settings: PipelineSettings,
  { seconds = [], storePort }: PipelineOptions,
): Promise<Pipeline> {
  const running = new Map<ProcessName, RunningService>();
  const store = await stack.startStore(storePort === undefined ? {} : { port: storePort });
  running.set('store', store);
  const client = openClient(store);
  stack.onEnd('client of the store', () => client.close());
  await stack.prepare(settings.aggregator);
  running.set('aggregator', await stack.startAggregator({ env: settings.aggregator ?? {} }));
  if (seconds.includes('aggregator-2')) {
    const env = { ...settings.aggregator, ...settings['aggregator-2'] };
    running.set('aggregator-2', await stack.startAggregator({ name: 'aggregator-2', env }));
  }
  // No balancer asks these collectors whether they are ready: a stop has nothing to wait for.
  const edge = { DRAIN_MS: '0', ...settings.collector };
  const collector = await stack.startCollector({ env: edge });
  running.set('collector', collector);
  let secondCollectorUrl: string | undefined;
  if (seconds.includes('collector-2')) {
    const env = { ...edge, COLLECTOR_NAME: 'second', ...settings['collector-2'] };
    const second = await stack.startCollector({ name: 'collector-2', env });
    running.set('collector-2', second);
    secondCollectorUrl = second.url;
  }
  const query = await stack.startQuery({ env: settings.query ?? {} });
  running.set('query', query);
  const adminPort = (name: ProcessName): number => (running.get(name) ?? failNotStarted(name)).adminPort;
  const select = async <T>(sql: string): Promise<T[]> =>
    (await client.query({ query: sql, format: 'JSONEachRow' })).json<T>();
  const { credentials } = stack;
  return {
    collectorUrl: collector.url,
    secondCollectorUrl: () => secondCollectorUrl ?? failNotStarted('collector-2'),
    queryUrl: query.url,
    credentials,
    kafka,
    aggregatorEnvironment: stack.env('aggregator'),
    store: client,
    ask: (path) => ask(`${query.url}${path}`, credentials.readToken),
    select,
    untilStored: (rows, timeoutMs = 60_000) => untilStored(select, rows, timeoutMs),
    prepare: () => stack.prepare(settings.aggregator),
    process: (name) => stack.process(name),
    metric: (name, metric) => readMetric(adminPort(name), metric),
    lacks: (name) => probeReady(adminPort(name)),
    stop: (name) => stack.stop(name),
    kill: (name) => stack.kill(name),
    start: (name) => stack.start(name),
    end: () => stack.end(),
  };
}

function openClient({ url, user, password, database }: StoreAddress): ClickHouseClient {
  return createClient({
    url,
    username: user,
    password,
    database,
    // What fails comes back as a rejected promise.
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
}

function newTopicPrefix(): string {
  return `${randomBytes(6).toString('hex')}.`;
}

function failNotStarted(name: ProcessName): never {
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

/** Rows are visible a moment before the ledger has their block. */
const RECORDED_MS_MAX = 30_000;

/** Asserts that every row is stored once and that the ledger has as many, once all data has arrived. */
export async function assertBalanced(pipeline: Pipeline, rows: number): Promise<void> {
  const expected = JSON.stringify({ rows, places: rows, requests: rows, recorded: rows });
  const deadline = Date.now() + RECORDED_MS_MAX;
  let found = await readBalance(pipeline);
  // Only the ledger may be late; any other difference is reported at once.
  while (found.recorded < rows && Date.now() < deadline) {
    await delay(100);
    found = await readBalance(pipeline);
  }
  if (JSON.stringify(found) !== expected) {
    throw new Error(`rows and ledger do not balance: ${JSON.stringify(found)}, expected ${expected}`);
  }
}

async function readBalance(pipeline: Pipeline) {
  const [stored] = await pipeline.select<{ rows: number; places: number; requests: number }>(
    'SELECT count() AS rows, uniqExact(block_id, block_row) AS places, uniqExact(request_id) AS requests FROM request_log',
  );
  const [recorded] = await pipeline.select<{ rows: number }>(
    "SELECT sum(rows) AS rows FROM block_ledger FINAL WHERE topic LIKE '%im.request-log'",
  );
  return { ...stored, recorded: recorded?.rows ?? 0 };
}
