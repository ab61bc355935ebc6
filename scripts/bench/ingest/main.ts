/*
 * `npm run bench:ingest`: the rate of request logs from Kafka through the aggregator into the store, compared with the
 * store's own limit and three other ways in interleaved rounds; and its cost in processor time, memory and disk. One JSON
 * line a figure.
 */
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  EDGE_ACCOUNT_STREAM,
  INTERFACE_METRIC_STREAM,
  REQUEST_LOG_STREAM,
} from '../../../services/aggregator/src/blocks/streams.js';
import { startChild } from '../collector/child-process.js';
import { createBenchTraffic } from '../collector/bodies.js';
import { say } from '../figure.js';
import { type Backlog, type Container, WINDOW_S, makeBacklog } from './backlog.js';
import { type BlockFile, writeBlockFiles } from './block-files.js';
import type { DecodeQuestion, DecodeResult } from './decode-process.js';
import { readDiskUsage } from './disk-usage.js';
import type { EngineQuestion, EngineResult } from './engine-process.js';
import {
  type IngestLoad,
  measureIngest,
  readRecorded,
  sendLoad,
  truncateTables,
  untilRecorded,
} from './ingest-round.js';
import { watchMemory } from './memory-watch.js';
import { readIngestOptions } from './options.js';
import { type Sample, printDisk, printMemory, printRates } from './report.js';
import { sendContainers, sendPlain } from './send-backlog.js';
import { PARTITIONS, PEER_TOPICS, startIngestStack } from './stack.js';

/** Concurrent inserts, as many as the aggregator's (PARTITIONS_AT_ONCE). */
const SESSIONS = 4;
const CONSUMERS = availableParallelism() >= PARTITIONS ? PARTITIONS : availableParallelism() >= 2 ? 2 : 1;
/** As in migration 0007. */
const FRESH_PART_BYTES_MAX = 33_554_432;
/** Statements of the engine's sessions each hold a thread. */
process.env['UV_THREADPOOL_SIZE'] = '16';

const options = readIngestOptions(process.argv.slice(2));
const [largest = 500] = options.sizes;
const backlog = prepareBacklog();
say('starting a broker, a store and an aggregator');
const stack = await startIngestStack();
const engine = startChild<EngineQuestion, EngineResult>(new URL('engine-process.ts', import.meta.url));
const decoder = startChild<DecodeQuestion, DecodeResult>(new URL('decode-process.ts', import.meta.url));
try {
  const files = await preparePeers();
  const samples = await measureRounds(files);
  printRates(samples, options.sizes);
  await measureDisk();
  await measureMemory();
} finally {
  await Promise.all([engine.end(), decoder.end()]);
  await stack.end();
}

function prepareBacklog(): Backlog {
  say('making traffic');
  const recordsBySize = new Map(
    options.sizes.map((size) => [size, size === largest ? options.records : options.recordsSmall]),
  );
  const jsonRecords = options.peers ? options.jsonRecords : 0;
  // The end of a window, so that the records have as many metrics as in production.
  const atMs = Math.floor(Date.now() / 1_000 / WINDOW_S) * WINDOW_S * 1_000 - 1;
  const plan = { recordsBySize, jsonRecords, partitions: PARTITIONS, atMs };
  return makeBacklog(createBenchTraffic(), plan, (made) => say(`  ${made} records`));
}

function logsOf(size: number): readonly Container[] {
  return backlog.logs.get(size) ?? [];
}

function loadOf(size: number): IngestLoad {
  return { logs: logsOf(size), metrics: backlog.metrics, accounts: backlog.accounts };
}

/** @returns block files by the number of records a message */
async function preparePeers(): Promise<Map<number, BlockFile[]>> {
  await engine.ask({ kind: 'open', dataDir: join(stack.directory, 'engine') });
  if (options.peers) {
    say('filling the topics of the peers');
    const { producer } = stack;
    const plain = { marker: undefined };
    await sendContainers(producer, PEER_TOPICS.avro, PARTITIONS, logsOf(largest), plain);
    await sendPlain(producer, PEER_TOPICS.json, PARTITIONS, backlog.json);
  }
  return new Map(
    options.sizes.map((size) => {
      const directory = join(stack.directory, `blocks-${size}`);
      mkdirSync(directory);
      return [size, writeFiles(directory, loadOf(size))];
    }),
  );
}

/** Files of all streams, because the aggregator stores them all. */
function writeFiles(directory: string, { logs, metrics, accounts }: IngestLoad): BlockFile[] {
  return [
    ...writeBlockFiles(directory, EDGE_ACCOUNT_STREAM, accounts, PARTITIONS),
    ...writeBlockFiles(directory, INTERFACE_METRIC_STREAM, metrics, PARTITIONS),
    ...writeBlockFiles(directory, REQUEST_LOG_STREAM, logs, PARTITIONS),
  ];
}

/** Round 0 warms up all processes and is not counted. */
async function measureRounds(files: ReadonlyMap<number, readonly BlockFile[]>): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let round = 0; round <= options.rounds; round++) {
    say(round === 0 ? 'warming up' : `round ${round} of ${options.rounds}`);
    const keep = (sample: Omit<Sample, 'round'>): void => {
      say(`  ${sample.way}, ${sample.size} a message: ${Math.round(sample.rate)} records/s`);
      if (round > 0) samples.push({ round, ...sample });
    };
    for (const size of options.sizes) {
      // Both measurements are adjacent, in alternating order: a slow machine slows both.
      const measurements = [() => measureOurs(size), () => measureFiles(size, files.get(size) ?? [])];
      for (const measure of round % 2 === 0 ? measurements : measurements.toReversed()) keep(await measure());
      if (size === largest && options.peers) {
        keep(await measureEngine('engine-avro'));
        keep(await measureEngine('engine-json'));
        keep(await measureDecoder());
      }
    }
  }
  return samples;
}

type Measured = Omit<Sample, 'round'>;

async function measureOurs(size: number): Promise<Measured> {
  const { records, seconds, aggregatorSeconds, storeSeconds } = await measureIngest(stack, loadOf(size));
  // Remaining merges would slow the next measurement.
  await truncateTables(stack.client);
  const perMillion = 1_000_000 / records;
  return {
    way: 'ours',
    size,
    rate: records / seconds,
    aggregatorSeconds: aggregatorSeconds * perMillion,
    storeSeconds: storeSeconds * perMillion,
  };
}

async function measureFiles(size: number, files: readonly BlockFile[]): Promise<Measured> {
  const { rows, seconds } = await engine.ask({ kind: 'files', files, sessions: SESSIONS });
  return { way: 'files', size, rate: rows / seconds };
}

async function measureEngine(way: 'engine-avro' | 'engine-json'): Promise<Measured> {
  const avro = way === 'engine-avro';
  const { rows, seconds } = await engine.ask({
    kind: 'kafka',
    format: avro ? 'Avro' : 'JSONEachRow',
    broker: stack.broker,
    topic: avro ? PEER_TOPICS.avro : PEER_TOPICS.json,
    rows: avro ? options.records : options.jsonRecords,
    consumers: CONSUMERS,
  });
  return { way, size: largest, rate: rows / seconds };
}

async function measureDecoder(): Promise<Measured> {
  const { rows, seconds } = await decoder.ask({
    broker: stack.broker,
    topic: PEER_TOPICS.avro,
    rows: options.decodeRecords,
    store: {
      url: stack.store.url,
      username: stack.store.user,
      password: stack.store.password,
      database: stack.store.database,
    },
  });
  await truncateTables(stack.client);
  return { way: 'decode', size: largest, rate: rows / seconds };
}

/** As inserted, and with all parts merged into one: a running store's size is between the two. */
async function measureDisk(): Promise<void> {
  say('disk');
  await measureIngest(stack, loadOf(largest));
  const inserted = await readDiskUsage(stack.client);
  // Parts in production are larger and have one file a column, which shows the size of each column.
  const ofParts = 'ALTER TABLE request_log MODIFY SETTING min_bytes_for_wide_part';
  await stack.client.command({ query: `${ofParts} = 0` });
  await stack.client.command({ query: 'OPTIMIZE TABLE request_log FINAL' });
  printDisk(inserted, await readDiskUsage(stack.client));
  await stack.client.command({ query: `${ofParts} = ${FRESH_PART_BYTES_MAX}` });
}

/** A new aggregator reads a backlog: the same containers repeatedly, each time as new batches. */
async function measureMemory(): Promise<void> {
  const load = loadOf(largest);
  const times = Math.max(1, Math.round(options.backlogRecords / options.records));
  say(`a backlog of ${times * options.records} records for a new aggregator`);
  await truncateTables(stack.client);
  const all = { ...load, metrics: [], accounts: [] };
  const before = await readRecorded(stack);
  await stack.restartAggregator(() => sendLoad(stack, all, times));
  const startMs = Date.now();
  const stopWatching = watchMemory(stack.aggregator.pid());
  const storedMs = await untilRecorded(stack, { ...before, countedByAggregator: 0 }, all, times);
  printMemory(stopWatching(), (times * options.records * 1_000) / (storedMs - startMs));
}
