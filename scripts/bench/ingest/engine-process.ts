/*
 * The peers inside ClickHouse's engine, a separate process with a separate data directory: the Kafka engine on the same
 * messages, or on one JSON record a message, and plain inserts from files. Same table, same statement.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_BOUNDS } from '@imscope/schemas/block-bounds.js';
import { readMigrations } from '@imscope/schemas/migrate.js';
import { REQUEST_LOG_STREAM, STREAMS, insertSql } from '../../../services/aggregator/src/blocks/streams.js';
import { type EngineSession, openEngine } from '../../../services/store/src/engine.js';
import { mergesConfig } from '../../../services/store/src/engine-merges.js';
import { answerParent } from '../collector/child-process.js';
import type { BlockFile } from './block-files.js';

export type EngineQuestion =
  | { readonly kind: 'open'; readonly dataDir: string }
  | {
      readonly kind: 'kafka';
      readonly format: 'Avro' | 'JSONEachRow';
      readonly broker: string;
      readonly topic: string;
      /** In the topic. */
      readonly rows: number;
      readonly consumers: number;
    }
  | { readonly kind: 'files'; readonly files: readonly BlockFile[]; readonly sessions: number };

export type EngineResult = { readonly rows: number; readonly seconds: number };

/** Least number of blocks of a consumer in a measurement; they are as large as ours. */
const BLOCKS_PER_CONSUMER = 5;
/** The measurement ends at this share, so that the engine's wait for its last flush interval is not counted. */
const MEASURED_SHARE = 0.7;
const READ_MS_MAX = 180_000;
const POLL_MS = 10;
/** Half of the cores, as in the store. */
const MERGE_THREADS = Math.max(1, Math.floor(availableParallelism() / 2));
/** The aggregator's inserts leave the index to merges; the same setting applies to the Kafka engine. */
const AS_OURS = 'materialize_skip_indexes_on_insert=0';

let session: EngineSession | undefined;
let openSession: (() => EngineSession) | undefined;
/** Number in the names of groups and tokens, so that each is unique. */
let measurement = 0;

answerParent({ answer: answerQuestion });

async function answerQuestion(question: EngineQuestion): Promise<EngineResult> {
  if (question.kind === 'open') {
    const config = `${question.dataDir}.xml`;
    writeFileSync(config, `<clickhouse>${mergesConfig(MERGE_THREADS)}</clickhouse>`);
    const engine = await openEngine(question.dataDir, [`--${AS_OURS}`, `--config-file=${config}`], 0);
    openSession = engine.openSession;
    session = engine.openSession();
    await prepareTables(session);
    return { rows: 0, seconds: 0 };
  }
  if (session === undefined || openSession === undefined) throw new Error('ask for "open" first');
  measurement += 1;
  await truncateTables(session);
  const result =
    question.kind === 'kafka'
      ? await readFromKafka(session, question)
      : await insertFiles(openSession, question.files, question.sessions);
  // So that remaining merges do not slow the next measurement.
  await truncateTables(session);
  return result;
}

async function truncateTables(engine: EngineSession): Promise<void> {
  for (const { table } of STREAMS) await engine.run(`TRUNCATE TABLE ${table}`);
}

/** All tables, as all migrations leave them. */
async function prepareTables(engine: EngineSession): Promise<void> {
  for (const { statements } of readMigrations()) for (const sql of statements) await engine.run(sql);
}

/**
 * Measures from the first read message until enough rows are visible; joining the group is not counted. Rows become
 * visible one complete block at a time, so the rate is known only at the ends of blocks.
 */
async function readFromKafka(
  engine: EngineSession,
  question: Extract<EngineQuestion, { kind: 'kafka' }>,
): Promise<EngineResult> {
  const { broker, topic, format, consumers, rows } = question;
  const names = REQUEST_LOG_STREAM.columns.map(([name]) => `\`${name}\``).join(', ');
  const columns = REQUEST_LOG_STREAM.columns.map(([name, type]) => `\`${name}\` ${type}`).join(', ');
  const blockRows = Math.min(DEFAULT_BOUNDS.rowsMax, Math.ceil(rows / consumers / BLOCKS_PER_CONSUMER));
  await engine.run(`CREATE TABLE log_queue (${columns}) ENGINE = Kafka SETTINGS
    kafka_broker_list = '${broker}', kafka_topic_list = '${topic}', kafka_format = '${format}',
    kafka_group_name = 'engine-${process.pid}-${measurement}', kafka_num_consumers = ${consumers},
    kafka_thread_per_consumer = 1, kafka_max_block_size = ${blockRows},
    kafka_poll_max_batch_size = 65536, kafka_poll_timeout_ms = 50, kafka_flush_interval_ms = 3000`);
  try {
    await engine.run(`CREATE MATERIALIZED VIEW log_reader TO request_log AS SELECT ${names} FROM log_queue`);
    const start = await untilReached(engine, READ_SQL, 1, READ_MS_MAX);
    const end = await untilReached(engine, ROWS_SQL, Math.ceil(rows * MEASURED_SHARE), READ_MS_MAX);
    return { rows: end.value, seconds: (end.ms - start.ms) / 1_000 };
  } finally {
    await engine.run('DROP TABLE IF EXISTS log_reader SYNC');
    await engine.run('DROP TABLE IF EXISTS log_queue SYNC');
  }
}

const READ_SQL = 'SELECT sum(num_messages_read) FROM system.kafka_consumers';
const ROWS_SQL = `SELECT total_rows FROM system.tables WHERE database = currentDatabase() AND name = 'request_log'`;

async function untilReached(
  engine: EngineSession,
  sql: string,
  wanted: number,
  withinMs: number,
): Promise<{ value: number; ms: number }> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const { output } = await engine.run(sql, 'TSV');
    const value = Number(output.toString());
    const ms = performance.now();
    if (value >= wanted) return { value, ms };
    if (ms > deadline)
      throw new Error(`${sql} says ${value} after ${withinMs} ms, expected at least ${wanted}`);
    await sleep(POLL_MS);
  }
}

/** Inserts with this many concurrent sessions; each reads the next file. @returns rows of request logs */
async function insertFiles(
  open: () => EngineSession,
  files: readonly BlockFile[],
  count: number,
): Promise<EngineResult> {
  const sessions = Array.from({ length: count }, open);
  for (const one of sessions) {
    await one.run('SET async_insert = 0, max_insert_threads = 1, input_format_avro_allow_missing_fields = 1');
  }
  let next = 0;
  const startMs = performance.now();
  await Promise.all(
    sessions.map(async (one) => {
      for (let index = next++; index < files.length; index = next++) {
        const file = files[index];
        if (file === undefined) return;
        const token = `${process.pid}:${measurement}:${index}`;
        await one.run(`SET insert_deduplication_token = '${token}', param_block_id = '${measurement}'`);
        await one.run(fromFile(file));
      }
    }),
  );
  const seconds = (performance.now() - startMs) / 1_000;
  for (const one of sessions) one.close();
  const logs = files.filter(({ table }) => table === REQUEST_LOG_STREAM.table);
  return { rows: logs.reduce((sum, { rows }) => sum + rows, 0), seconds };
}

/** The aggregator's statement with a file in place of the request's body. */
function fromFile({ path, table }: BlockFile): string {
  const stream = STREAMS.find((one) => one.table === table);
  if (stream === undefined) throw new Error(`no stream goes into ${table}`);
  return insertSql(stream)
    .replace('FROM input(', `FROM file('${path}', 'Avro', `)
    .replace(/ FORMAT Avro$/, '');
}
