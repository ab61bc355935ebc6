/* Turns samples into figures: medians over rounds, ratios of each round, each with minimum and maximum. */
import { type Goal, figure, printFigure } from '../figure.js';
import { median } from '../statistics.js';
import type { DiskUsage } from './disk-usage.js';
import type { MemoryCourse } from './memory-watch.js';

/** Ours and its peers. `files`: the same blocks inserted from files by as many sessions of chDB. */
export type Way = 'ours' | 'files' | 'engine-avro' | 'engine-json' | 'decode';

export type Sample = {
  readonly round: number;
  readonly way: Way;
  /** Records a message. */
  readonly size: number;
  readonly rate: number;
  /** Processor time for a million records; of ours only. */
  readonly aggregatorSeconds?: number;
  readonly storeSeconds?: number;
};

const GOALS: Readonly<Record<Exclude<Way, 'ours'>, number>> = {
  files: 0.85,
  'engine-avro': 1.2,
  'engine-json': 4,
  decode: 8,
};
const PEERS = ['files', 'engine-avro', 'engine-json', 'decode'] as const;

export function printRates(samples: readonly Sample[], sizes: readonly number[]): void {
  const [largest] = sizes;
  for (const size of sizes) {
    const ours = samples.filter(({ way, size: of }) => way === 'ours' && of === size);
    const rates = ours.map(({ rate }) => rate);
    const name = `${size}-a-message`;
    printFigure(figure(`${name}.stored`, median(rates), 'records/s', { interval: intervalOf(rates) }));
    for (const peer of PEERS) printRatio(name, ours, samplesOf(samples, peer, size), peer, size === largest);
    printCost(`${name}.aggregator-processor-time`, ours, 'aggregatorSeconds', {
      bound: 'below',
      limit: 0.12,
    });
    printCost(`${name}.store-processor-time`, ours, 'storeSeconds');
  }
}

function samplesOf(samples: readonly Sample[], way: Way, size: number): Sample[] {
  return samples.filter((sample) => sample.way === way && sample.size === size);
}

function printRatio(
  name: string,
  ours: readonly Sample[],
  theirs: readonly Sample[],
  peer: Exclude<Way, 'ours'>,
  hasGoal: boolean,
): void {
  if (theirs.length === 0) return;
  const ratios = ours.flatMap(({ round, rate }) =>
    theirs.filter((one) => one.round === round).map((one) => rate / one.rate),
  );
  printFigure(
    figure(`${name}.stored-against-${peer}`, median(ours.map(({ rate }) => rate)), 'records/s', {
      peer: median(theirs.map(({ rate }) => rate)),
      ratio: median(ratios),
      interval: intervalOf(ratios),
      ...(hasGoal ? { goal: { bound: 'at_least', limit: GOALS[peer] } } : {}),
    }),
  );
}

function printCost(
  name: string,
  ours: readonly Sample[],
  key: 'aggregatorSeconds' | 'storeSeconds',
  goal?: Goal,
): void {
  const values = ours.flatMap((sample) => sample[key] ?? []);
  const comparison = { interval: intervalOf(values), ...(goal === undefined ? {} : { goal }) };
  printFigure(figure(name, median(values), 's per million records', comparison));
}

export function printDisk(inserted: DiskUsage, merged: DiskUsage): void {
  printFigure(figure('disk.as-inserted', inserted.bytesPerRow, 'bytes per request log'));
  printFigure(figure('disk.merged', merged.bytesPerRow, 'bytes per request log'));
  for (const { name, bytesPerRow } of merged.columns) {
    printFigure(figure(`disk.merged.${name}`, bytesPerRow, 'bytes per request log'));
  }
}

/** Memory does not grow if its late median is at most a tenth above the early one. */
export function printMemory({ peakBytes, earlyBytes, lateBytes }: MemoryCourse, rate: number): void {
  printFigure(figure('backlog.stored', rate, 'records/s'));
  printFigure(
    figure('backlog.aggregator-memory-peak', peakBytes / 1_000_000, 'MB', {
      goal: { bound: 'below', limit: 400 },
    }),
  );
  printFigure(
    figure('backlog.aggregator-memory-late', lateBytes / 1_000_000, 'MB', {
      peer: earlyBytes / 1_000_000,
      ratio: lateBytes / earlyBytes,
      goal: { bound: 'at_most', limit: 1.1 },
    }),
  );
}

function intervalOf(values: readonly number[]): readonly [number, number] {
  return [Math.min(...values), Math.max(...values)];
}
