/*
 * `npm run bench:collector`: records a collector acknowledges for each second of processor time, latency, memory, and the
 * rate without Kafka. Each is compared with JSON.parse of the same bodies, or with our JSON of the same records, in the
 * same round, because identical runs differ by a third on a shared machine. One JSON line a figure; see
 * scripts/bench/README.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ListeningService } from '../../stack/stack.js';
import { figure, printFigure, say } from '../figure.js';
import { peakResidentBytes } from '../process-usage.js';
import { median } from '../statistics.js';
import { BESIDE_JSON, type BodyKind, type Case } from './cases.js';
import { type Child, startChild } from './child-process.js';
import type { Load, LoadResult } from './load-generator.js';
import { type BenchOptions, readBenchOptions } from './options.js';
import type { ParseQuestion } from './parse-json.js';
import { measureTailing } from './tailing.js';
import { type BenchStack, startBenchStack, untilDrained } from './stack.js';

const WARM_MS = 300;
/** Warm-up for each kind of body: until its code is compiled a process is up to three times slower. */
const FIRST_WARM_MS = 800;
const LATENCY_SHARE = 0.7;
const LATENCY_FOR_FACTOR = 8;
/** A produce request without an answer makes Kafka count as down after 2 s; until then requests wait. */
const AWAY_WARM_MS = 4_000;
/** Rounds without Kafka: one lasts about 20 s, because the broker starts and the collector reconnects. */
const AWAY_ROUNDS_MAX = 3;
const MEASURED_KIND: BodyKind = { format: 'json', records: 500 };

type Bench = {
  readonly options: BenchOptions;
  readonly stack: BenchStack;
  readonly generator: Child<Load, LoadResult>;
  readonly parser: Child<ParseQuestion, number>;
};

/** `peer` and `perCore` in records per second of processor time. */
type Sample = { readonly rate: number; readonly perCore: number; readonly peer: number } & Pick<
  LoadResult,
  'p50Ms' | 'p99Ms'
>;

/** The share of the rate of `JSON.parse` alone that requests of 500 records must reach. */
const OF_PARSE_MIN = 0.3;

const options = readBenchOptions(process.argv.slice(2));
say('starting a broker and three collectors');
const stack = await startBenchStack();
const generator = startChild<Load, LoadResult>(new URL('load-generator.ts', import.meta.url));
const parser = startChild<ParseQuestion, number>(new URL('parse-json.ts', import.meta.url));
try {
  await run({ options, stack, generator, parser });
} finally {
  await Promise.all([generator.end(), parser.end()]);
  await stack.end();
}

async function run(bench: Bench): Promise<void> {
  const { alone, pair } = stack;
  if (bench.options.tail) await measureTailing(bench.stack, bench.options);
  if (!measuresRequests(bench.options)) return;
  say('warming up');
  const peers = bench.options.cases
    .filter((one) => besideJson(one) !== undefined)
    .map(({ records }): BodyKind => ({ format: 'json', records }));
  const wanted: readonly BodyKind[] = [...bench.options.cases, ...peers, MEASURED_KIND];
  const kinds = new Map(wanted.map((kind) => [`${kind.format} ${kind.records}`, kind]));
  for (const kind of kinds.values()) {
    for (const targets of [[alone], pair])
      await load(bench, targets, kind, { warmMs: FIRST_WARM_MS, forMs: 0 });
  }
  await measureCases(bench);
  // Before Kafka is stopped, because batches that wait in the spool need memory too.
  printPeakMemory(bench);
  if (bench.options.latency) await measureLatency(bench);
  if (bench.options.kafkaAway) await measureWithoutKafka(bench);
}

function measuresRequests({ cases, latency, kafkaAway }: BenchOptions): boolean {
  return cases.length > 0 || latency || kafkaAway;
}

async function load(
  { generator, stack, options }: Bench,
  targets: readonly ListeningService[],
  kind: BodyKind,
  more: Partial<Pick<Load, 'warmMs' | 'forMs' | 'requestsPerSecond'>> = {},
): Promise<LoadResult> {
  return generator.ask({
    kind,
    targets: targets.map(({ port, pid }) => ({ port, pid })),
    token: stack.token,
    atMs: Date.now(),
    warmMs: WARM_MS,
    forMs: options.forMs,
    ...more,
  });
}

async function measureCases(bench: Bench): Promise<void> {
  const { options } = bench;
  const samples = new Map<Case, Sample[]>(options.cases.map((one) => [one, []]));
  for (let round = 1; round <= options.rounds; round++) {
    say(`round ${round} of ${options.rounds}`);
    for (const [one, ofCase] of samples) ofCase.push(await measureCase(bench, one));
  }
  for (const [one, ofCase] of samples) printCase(one, ofCase);
}

async function measureCase(bench: Bench, one: Case): Promise<Sample> {
  const { stack } = bench;
  const loaded = await load(bench, one.processes === 1 ? [stack.alone] : stack.pair, one);
  const peer = await measurePeer(bench, one);
  const { acknowledgedRecords, seconds, collectorSeconds, generatorSeconds, refused, p50Ms, p99Ms } = loaded;
  const sample = {
    rate: acknowledgedRecords / seconds,
    perCore: acknowledgedRecords / collectorSeconds,
    peer,
    p50Ms,
    p99Ms,
  };
  say(
    `  ${one.name}: ${Math.round(sample.rate)} records/s, ${Math.round(sample.perCore)} a core; the collectors took ` +
      `${(collectorSeconds / seconds).toFixed(2)} cores, the sender ${(generatorSeconds / seconds).toFixed(2)}` +
      describeRefused(refused),
  );
  return sample;
}

/** `JSON.parse` of the same bodies; for a binary format the collector itself with the same records in JSON. */
async function measurePeer(bench: Bench, one: Case): Promise<number> {
  const { stack, parser, options } = bench;
  if (besideJson(one) === undefined) {
    return parser.ask({ kind: one, atMs: Date.now(), forMs: options.forMs / 4 });
  }
  const json = await load(bench, [stack.alone], { format: 'json', records: one.records });
  return json.acknowledgedRecords / json.collectorSeconds;
}

/** The required ratio to JSON; undefined if it is not compared with JSON. */
function besideJson({ format }: BodyKind): number | undefined {
  return format === 'avro' || format === 'otlp-protobuf' ? BESIDE_JSON[format] : undefined;
}

function printCase(one: Case, samples: readonly Sample[]): void {
  const { name, records } = one;
  const of = (key: keyof Sample): number => median(samples.map((sample) => sample[key]));
  // The ratio is computed for each round: a slow machine slows both.
  const perCore = of('perCore');
  const ratios = samples.map((sample) => sample.perCore / sample.peer);
  const limit = besideJson(one) ?? (records === 500 ? OF_PARSE_MIN : undefined);
  printFigure(figure(`${name}.acknowledged`, of('rate'), 'records/s'));
  printFigure(
    figure(`${name}.acknowledged-per-core`, perCore, 'records per second of processor time', {
      peer: of('peer'),
      ratio: median(ratios),
      interval: [Math.min(...ratios), Math.max(...ratios)],
      ...(limit === undefined ? {} : { goal: { bound: 'at_least', limit } }),
    }),
  );
  printFigure(figure(`${name}.processor-time`, 1_000_000 / perCore, 'seconds for a million records'));
  printFigure(figure(`${name}.answer-p50`, of('p50Ms'), 'ms'));
  printFigure(figure(`${name}.answer-p99`, of('p99Ms'), 'ms'));
}

function printPeakMemory({ stack }: Bench): void {
  const bytes = Math.max(...[stack.alone, ...stack.pair].map(({ pid }) => peakResidentBytes(pid)));
  printFigure(
    figure('memory-peak-at-full-rate', bytes / 1_000_000, 'MB', { goal: { bound: 'below', limit: 250 } }),
  );
}

/** Open loop, at a share of the closed loop's rate measured just before. */
async function measureLatency(bench: Bench): Promise<void> {
  const { stack, options } = bench;
  const rates: number[] = [];
  for (let round = 0; round < 3; round++) {
    const { answers, seconds } = await load(bench, [stack.alone], MEASURED_KIND);
    rates.push(answers / seconds);
  }
  const requestsPerSecond = median(rates) * LATENCY_SHARE;
  const forMs = options.forMs * LATENCY_FOR_FACTOR;
  say(`latency at ${Math.round(requestsPerSecond * MEASURED_KIND.records)} records/s`);
  const result = await load(bench, [stack.alone], MEASURED_KIND, { requestsPerSecond, forMs });
  const name = 'latency-at-70-percent';
  printFigure(figure(`${name}.acknowledged`, result.acknowledgedRecords / result.seconds, 'records/s'));
  printFigure(figure(`${name}.answer-p50`, result.p50Ms, 'ms'));
  printFigure(figure(`${name}.answer-p99`, result.p99Ms, 'ms', { goal: { bound: 'below', limit: 250 } }));
}

/** The broker is killed and restarted in every round, so that both rates are measured under the same conditions. */
async function measureWithoutKafka(bench: Bench): Promise<void> {
  const { stack, options } = bench;
  const samples: { rate: number; away: number; perCore: number; perCoreAway: number; p99Ms: number }[] = [];
  const rounds = Math.min(options.rounds, AWAY_ROUNDS_MAX);
  for (let round = 1; round <= rounds; round++) {
    const normal = await load(bench, [stack.alone], MEASURED_KIND);
    await stack.broker.kill();
    const away = await load(bench, [stack.alone], MEASURED_KIND, { warmMs: AWAY_WARM_MS });
    await stack.broker.restart();
    await untilDrained(stack.alone);
    const sample = {
      rate: normal.acknowledgedRecords / normal.seconds,
      away: away.acknowledgedRecords / away.seconds,
      perCore: normal.acknowledgedRecords / normal.collectorSeconds,
      perCoreAway: away.acknowledgedRecords / away.collectorSeconds,
      p99Ms: away.p99Ms,
    };
    samples.push(sample);
    say(
      `  without Kafka, round ${round}: ${Math.round(sample.away)} records/s, with it ${Math.round(sample.rate)}` +
        describeRefused(away.refused),
    );
    await sleep(WARM_MS);
  }
  const ratio = median(samples.map(({ rate, away }) => away / rate));
  const value = median(samples.map(({ away }) => away));
  printFigure(
    figure('kafka-away.acknowledged', value, 'records/s', {
      peer: median(samples.map(({ rate }) => rate)),
      ratio,
      goal: { bound: 'at_least', limit: 0.5 },
    }),
  );
  const perCore = median(samples.map(({ perCoreAway }) => perCoreAway));
  printFigure(
    figure('kafka-away.acknowledged-per-core', perCore, 'records per second of processor time', {
      peer: median(samples.map(({ perCore }) => perCore)),
      ratio: median(samples.map(({ perCore, perCoreAway }) => perCoreAway / perCore)),
    }),
  );
  printFigure(figure('kafka-away.answer-p99', median(samples.map(({ p99Ms }) => p99Ms)), 'ms'));
  const peak = peakResidentBytes(stack.alone.pid) / 1_000_000;
  printFigure(figure('kafka-away.memory-peak', peak, 'MB'));
}

function describeRefused(refused: Readonly<Record<string, number>>): string {
  const counts = Object.entries(refused).map(([status, answers]) => `${answers} × ${status}`);
  return counts.length === 0 ? '' : `; refused: ${counts.join(', ')}`;
}
