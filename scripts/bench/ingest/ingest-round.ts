/*
 * One measurement of our aggregator: warm, it is stopped by SIGSTOP while the backlog is written to Kafka, and continued
 * afterwards. The clock runs until the ledger has the last block of the last stream. Rows, tokens, ledger and commits
 * are written as in production.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { containerHeader } from '@imscope/schemas/container.js';
import type { AvroSchema } from '@imscope/schemas/avro-schema.js';
import {
  EDGE_ACCOUNT_SCHEMA,
  INTERFACE_METRIC_SCHEMA,
  REQUEST_LOG_SCHEMA,
} from '@imscope/schemas/avro-schema.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { readMetric } from '../../stack/read-metric.js';
import { processorSeconds } from '../process-usage.js';
import { type Container, recordsIn } from './backlog.js';
import { sendContainers } from './send-backlog.js';
import { type IngestStack, PARTITIONS, PREFIX } from './stack.js';

export type IngestLoad = {
  readonly logs: readonly Container[];
  readonly metrics: readonly Container[];
  readonly accounts: readonly Container[];
};

export type IngestResult = {
  readonly seconds: number;
  readonly records: number;
  readonly aggregatorSeconds: number;
  readonly storeSeconds: number;
};

/** The ledger is kept: if it ended before the commits, an owner would assume a lagging replica and wait. */
const TABLES = ['request_log', 'interface_metric', 'edge_account'];
/** The group removes a stopped member after 10 s: then the measurement is repeated. */
const HELD_MS_MAX = 8_000;
const TRIES_MAX = 3;
const DONE_MS_MAX = 300_000;
const POLL_MS = 500;

export async function truncateTables(client: ClickHouseClient): Promise<void> {
  for (const table of TABLES) await client.command({ query: `TRUNCATE TABLE ${table}` });
}

/** Sends a load to our topics, with a marker after each partition's last message. */
export async function sendLoad({ producer }: IngestStack, load: IngestLoad, times = 1): Promise<void> {
  const streams: readonly (readonly [string, AvroSchema, readonly Container[]])[] = [
    [TOPICS.requestLog.name, REQUEST_LOG_SCHEMA, load.logs],
    [TOPICS.interfaceMetric.name, INTERFACE_METRIC_SCHEMA, load.metrics],
    [TOPICS.edgeAccount.name, EDGE_ACCOUNT_SCHEMA, load.accounts],
  ];
  for (const [topic, schema, containers] of streams) {
    const marker = containerHeader(schema);
    await sendContainers(producer, PREFIX + topic, PARTITIONS, containers, { marker, times });
  }
}

/** Rows stored since the bench began. */
export type Recorded = {
  /** In the ledger: logs, metrics, accounts. */
  readonly rows: readonly [number, number, number];
  /** In the aggregator's own counter, all streams together, since its start. */
  readonly countedByAggregator: number;
};

/** Messages that a busy machine sends while the aggregator may be stopped; a multiple of the partitions. */
const HELD_MESSAGES_MAX = 40_000;

/** Measures a load from truncated tables, and leaves it there. Throws if it is not stored within 5 minutes. */
export async function measureIngest(stack: IngestStack, load: IngestLoad): Promise<IngestResult> {
  await truncateTables(stack.client);
  const results: IngestResult[] = [];
  for (const part of partsOf(load)) results.push(await measurePart(stack, part));
  const sum = (key: keyof IngestResult): number => results.reduce((total, result) => total + result[key], 0);
  return {
    seconds: sum('seconds'),
    records: sum('records'),
    aggregatorSeconds: sum('aggregatorSeconds'),
    storeSeconds: sum('storeSeconds'),
  };
}

/** A load of many messages is measured in parts; metrics and accounts go with the first. */
function partsOf({ logs, metrics, accounts }: IngestLoad): IngestLoad[] {
  const parts = Math.max(1, Math.ceil(logs.length / HELD_MESSAGES_MAX));
  const length = Math.ceil(logs.length / parts / PARTITIONS) * PARTITIONS;
  return Array.from({ length: parts }, (_, part) => ({
    logs: logs.slice(part * length, (part + 1) * length),
    metrics: part === 0 ? metrics : [],
    accounts: part === 0 ? accounts : [],
  }));
}

async function measurePart(stack: IngestStack, load: IngestLoad): Promise<IngestResult> {
  const { store } = stack;
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    const recorded = await readRecorded(stack);
    const pid = stack.aggregator.pid();
    const heldMs = Date.now();
    process.kill(pid, 'SIGSTOP');
    try {
      await sendLoad(stack, load);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const before = { aggregator: processorSeconds(pid), store: processorSeconds(store.pid) };
    const startMs = Date.now();
    const storedMs = await untilRecorded(stack, recorded, load);
    if (startMs - heldMs > HELD_MS_MAX) {
      // A new member of the group has stored the load: the measurement is not valid.
      await truncateTables(stack.client);
      continue;
    }
    return {
      seconds: (storedMs - startMs) / 1_000,
      records: recordsIn(load.logs),
      aggregatorSeconds: processorSeconds(pid) - before.aggregator,
      storeSeconds: processorSeconds(store.pid) - before.store,
    };
  }
  throw new Error(
    `the backlog took longer than ${HELD_MS_MAX} ms to send, ${TRIES_MAX} times: is the machine busy?`,
  );
}

/**
 * Waits until the ledger has all of a load, sent `times` times. Until then the aggregator's counter is read, because that
 * does not load the store.
 * @returns when it had, epoch milliseconds
 */
export async function untilRecorded(
  stack: IngestStack,
  before: Recorded,
  load: IngestLoad,
  times = 1,
): Promise<number> {
  const added = [load.logs, load.metrics, load.accounts].map((all) => recordsIn(all) * times);
  const expected = before.rows.map((rows, index) => rows + (added[index] ?? 0));
  const total = added.reduce((sum, rows) => sum + rows, before.countedByAggregator);
  const deadline = Date.now() + DONE_MS_MAX;
  for (;;) {
    const counted = await rowsCounted(stack);
    if (counted >= total) {
      const { rows, lastMs } = await readLedger(stack.client);
      if (rows.every((found, index) => found === expected[index])) return lastMs;
      throw new Error(`the ledger has ${rows.join(', ')} rows, expected are ${expected.join(', ')}`);
    }
    if (Date.now() > deadline) throw new Error(`${counted} rows are stored, expected are ${total}`);
    await sleep(POLL_MS);
  }
}

export async function readRecorded(stack: IngestStack): Promise<Recorded> {
  const { rows } = await readLedger(stack.client);
  return { rows, countedByAggregator: await rowsCounted(stack) };
}

async function rowsCounted(stack: IngestStack): Promise<number> {
  return readMetric(stack.aggregator.adminPort, 'imscope_aggregator_rows_stored_total');
}

/** The ledger's counts, and the time of its last row, epoch milliseconds. */
async function readLedger(client: ClickHouseClient): Promise<{ rows: Recorded['rows']; lastMs: number }> {
  const answer = await client.query({ query: RECORDED_SQL, format: 'JSONEachRow' });
  const [found] = await answer.json<Record<'logs' | 'metrics' | 'accounts' | 'last_ms', number>>();
  const { logs = 0, metrics = 0, accounts = 0, last_ms: lastMs = 0 } = found ?? {};
  return { rows: [logs, metrics, accounts], lastMs };
}

const RECORDED_SQL = `
  SELECT
    sumIf(rows, endsWith(topic, 'request-log')) AS logs,
    sumIf(rows, endsWith(topic, 'interface-metric')) AS metrics,
    sumIf(rows, endsWith(topic, 'edge-account')) AS accounts,
    toUnixTimestamp64Milli(max(stored_at)) AS last_ms
  FROM block_ledger FINAL`;
