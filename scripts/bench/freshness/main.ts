/*
 * `npm run bench:freshness`: the time from the collector's 202 until a record is in an answer of the query service. Each
 * round first loads the complete chain (sender, collector, broker, aggregator, store) as fast as it answers, which gives
 * the rate of the store. After the chain has caught up it runs at half that rate while probes are sent.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Pipeline, startPipelineWithBroker } from '../../pipeline/pipeline.js';
import { startChild } from '../collector/child-process.js';
import type { Load, LoadResult } from '../collector/load-generator.js';
import { figure, printFigure, say } from '../figure.js';
import { median, percentile } from '../statistics.js';
import { readFreshnessOptions } from './options.js';
import { probeFreshness } from './probes.js';

const BROKER_HEAP_MB = 640;
const KIND = { format: 'json', records: 500 } as const;
/** Not counted at the beginning of the full load, because the chain is not busy yet. */
const SETTLE_SHARE = 0.3;
const LOAD_SHARE = 0.5;
/** Probes count after the chain has run at half its rate for this time. */
const WARM_MS = 3_000;
const CATCH_UP_MS_MAX = 180_000;
const P99_MS_MAX = 2_000;

type Round = {
  readonly limit: number;
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

const options = readFreshnessOptions(process.argv.slice(2));
say('starting the complete chain');
const generator = startChild<Load, LoadResult>(new URL('../collector/load-generator.ts', import.meta.url));
try {
  const pipeline = await startPipelineWithBroker(BROKER_HEAP_MB);
  try {
    await loadChain(pipeline, { forMs: 2_000 });
    await untilCaughtUp(pipeline);
    const rounds: Round[] = [];
    for (let round = 1; round <= options.rounds; round++) rounds.push(await measure(pipeline, round));
    print(rounds);
  } finally {
    await pipeline.end();
  }
} finally {
  await generator.end();
}

async function measure(pipeline: Pipeline, round: number): Promise<Round> {
  const limit = await measureLimit(pipeline);
  await untilCaughtUp(pipeline);
  const requestsPerSecond = (limit * LOAD_SHARE) / KIND.records;
  const forMs = options.forMs + WARM_MS;
  const [loaded, latencies] = await Promise.all([
    loadChain(pipeline, { forMs, requestsPerSecond }),
    sleep(WARM_MS).then(() => probeFreshness(pipeline, options.forMs)),
  ]);
  const measured = {
    limit,
    rate: loaded.acknowledgedRecords / loaded.seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    maxMs: Math.max(...latencies),
  };
  say(
    `round ${round}: the chain sustains ${Math.round(limit)} records/s; at ${Math.round(measured.rate)} ` +
      `${latencies.length} probes were visible after ${Math.round(measured.p50Ms)} ms (median), ` +
      `${Math.round(measured.p99Ms)} ms (p99), ${Math.round(measured.maxMs)} ms (longest)`,
  );
  await untilCaughtUp(pipeline);
  return measured;
}

/** Records a second that reach the store while the sender is limited only by the collector's answers. */
async function measureLimit(pipeline: Pipeline): Promise<number> {
  const rate = async (): Promise<number> => {
    await sleep(options.limitMs * SETTLE_SHARE);
    const [before, startMs] = [await rowsStored(pipeline), performance.now()];
    await sleep(options.limitMs * (1 - SETTLE_SHARE));
    return ((await rowsStored(pipeline)) - before) / ((performance.now() - startMs) / 1_000);
  };
  const [measured] = await Promise.all([rate(), loadChain(pipeline, { forMs: options.limitMs })]);
  return measured;
}

async function loadChain(
  pipeline: Pipeline,
  load: Pick<Load, 'forMs' | 'requestsPerSecond'>,
): Promise<LoadResult> {
  const port = Number(new URL(pipeline.collectorUrl).port);
  return generator.ask({
    kind: KIND,
    targets: [{ port, pid: pipeline.process('collector').pid }],
    token: pipeline.credentials.writeToken,
    atMs: Date.now(),
    warmMs: 0,
    ...load,
  });
}

async function rowsStored(pipeline: Pipeline): Promise<number> {
  const [found] = await pipeline.select<{ rows: number }>(
    "SELECT sum(rows) AS rows FROM block_ledger FINAL WHERE endsWith(topic, 'request-log')",
  );
  return found?.rows ?? 0;
}

/** Waits until the store has all that the collector sent. */
async function untilCaughtUp(pipeline: Pipeline): Promise<void> {
  const deadline = Date.now() + CATCH_UP_MS_MAX;
  for (let before = -1; ;) {
    const lag = await pipeline.metric('aggregator', 'imscope_aggregator_consumer_lag_messages');
    const stored = await rowsStored(pipeline);
    if (lag === 0 && stored === before) return;
    if (Date.now() > deadline) {
      throw new Error(`${lag} messages are still not stored ${CATCH_UP_MS_MAX} ms after the load ended`);
    }
    before = stored;
    await sleep(2_000);
  }
}

function print(rounds: readonly Round[]): void {
  const of = (key: keyof Round): number[] => rounds.map((round) => round[key]);
  const interval = (key: keyof Round): readonly [number, number] => [
    Math.min(...of(key)),
    Math.max(...of(key)),
  ];
  const print = (name: string, key: keyof Round, unit: string): void =>
    printFigure(figure(name, median(of(key)), unit, { interval: interval(key) }));
  print('chain.sustained', 'limit', 'records/s');
  print('freshness.at-rate', 'rate', 'records/s');
  print('freshness.p50', 'p50Ms', 'ms');
  printFigure(
    figure('freshness.p99', median(of('p99Ms')), 'ms', {
      interval: interval('p99Ms'),
      goal: { bound: 'below', limit: P99_MS_MAX },
    }),
  );
  print('freshness.longest', 'maxMs', 'ms');
}
