/*
 * The plan of a kill loop, a pure function of its seed: rounds of faults in random order. A fault is a kill, or the stop
 * of a zombie. Each round has the same number of each kind, so that proportions hold in runs of any length. What a
 * process does at the moment of a fault is not planned.
 */
import type { ProcessName } from '../pipeline/pipeline.js';
import { Random } from '../simulate-gateway/random.js';

/** Number of faults of each kind in a round; `zombie` stops an aggregator and continues it later. */
export type FaultCounts = Readonly<Record<FaultKind, number>>;
export type FaultKind = 'store' | 'collector' | 'broker' | 'aggregator' | 'zombie';

export type TargetName = Exclude<ProcessName, 'query' | 'registry'> | 'broker';

export type Fault = {
  readonly kind: FaultKind;
  readonly target: TargetName;
  /** Pause after the previous fault. */
  readonly pauseMs: number;
  /**
   * Delay after the store has received an insert completely and before it has answered; undefined: the fault is not
   * timed by an insert.
   */
  readonly intoInsertMs: number | undefined;
  /** The target may be hit while it starts. */
  readonly whileStarting: boolean;
  /** How long a zombie is stopped; 0 is a kill. */
  readonly stoppedMs: number;
};

const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 2_200;
/** Share of the store's and aggregators' faults that are timed to hit an insert. */
const INTO_INSERT_SHARE = 0.8;
/** About the duration of an insert. */
const INTO_INSERT_MS_MAX = 6;
const WHILE_STARTING_SHARE = 0.25;
/** Longer than an aggregator's session (10 s), so that its partitions have another owner when it continues. */
const STOPPED_MS_MIN = 11_500;
const STOPPED_MS_MAX = 14_000;

export function* planFaults(seed: number, perRound: FaultCounts): Generator<Fault, never> {
  const random = new Random(seed, 'kills');
  for (;;) for (const kind of shuffled(perRound, random)) yield drawFault(kind, random);
}

function shuffled(perRound: FaultCounts, random: Random): FaultKind[] {
  const kinds = (['store', 'collector', 'broker', 'aggregator', 'zombie'] as const).flatMap((kind) =>
    Array.from({ length: perRound[kind] }, () => ({ kind, place: random.unit() })),
  );
  return kinds.toSorted((a, b) => a.place - b.place).map(({ kind }) => kind);
}

/** Draws the same number of random numbers for every kind, so that one kind's proportion does not change the others' moments. */
function drawFault(kind: FaultKind, random: Random): Fault {
  const pauseMs = between(PAUSE_MS_MIN, PAUSE_MS_MAX, random);
  const second = random.unit() < 0.5;
  const aimed = random.unit() < INTO_INSERT_SHARE;
  const intoInsertMs = between(0, INTO_INSERT_MS_MAX, random);
  const whileStarting = random.unit() < WHILE_STARTING_SHARE;
  const stoppedMs = between(STOPPED_MS_MIN, STOPPED_MS_MAX, random);
  const storing = kind === 'store' || kind === 'aggregator' || kind === 'zombie';
  return {
    kind,
    target: targetOf(kind, second),
    pauseMs,
    intoInsertMs: storing && aimed ? intoInsertMs : undefined,
    whileStarting: whileStarting && kind !== 'zombie',
    stoppedMs: kind === 'zombie' ? stoppedMs : 0,
  };
}

function targetOf(kind: FaultKind, second: boolean): TargetName {
  if (kind === 'collector') return second ? 'collector-2' : 'collector';
  if (kind === 'aggregator' || kind === 'zombie') return second ? 'aggregator-2' : 'aggregator';
  return kind;
}

function between(min: number, max: number, random: Random): number {
  return min + random.unit() * (max - min);
}
