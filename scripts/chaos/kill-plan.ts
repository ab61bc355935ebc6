/*
 * The plan of a kill loop, a pure function of its seed: shuffled bags of strokes (a kill, or a stop of a zombie), so that
 * every kind comes in its proportion however long the run is. What a process does at that moment is not planned.
 */
import type { ProcessName } from '../pipeline/pipeline.js';
import { Random } from '../simulate-gateway/random.js';

/** Strokes of each kind in one bag; `zombie` stops an aggregator and continues it later. */
export type Bag = Readonly<Record<StrokeKind, number>>;
export type StrokeKind = 'store' | 'collector' | 'broker' | 'aggregator' | 'zombie';

export type TargetName = Exclude<ProcessName, 'query'> | 'broker';

export type Stroke = {
  readonly kind: StrokeKind;
  readonly target: TargetName;
  /** After the stroke before. */
  readonly pauseMs: number;
  /** So long after the store has received all of an insert and has not answered it; undefined for any moment. */
  readonly intoInsertMs: number | undefined;
  /** Also while the target is being started. */
  readonly whileStarting: boolean;
  /** How long a zombie is stopped; 0 is a kill. */
  readonly stoppedMs: number;
};

const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 2_200;
/** The share of strokes at store and aggregators that hit an insert; the others come at any moment. */
const INTO_INSERT_SHARE = 0.8;
/** About the duration of an insert. */
const INTO_INSERT_MS_MAX = 6;
const WHILE_STARTING_SHARE = 0.25;
/** Longer than an aggregator's session (10 s), so that its partitions have another owner when it goes on. */
const STOPPED_MS_MIN = 11_500;
const STOPPED_MS_MAX = 14_000;

export function* planStrokes(seed: number, bag: Bag): Generator<Stroke, never> {
  const random = new Random(seed, 'kills');
  for (;;) for (const kind of shuffled(bag, random)) yield drawStroke(kind, random);
}

function shuffled(bag: Bag, random: Random): StrokeKind[] {
  const kinds = (['store', 'collector', 'broker', 'aggregator', 'zombie'] as const).flatMap((kind) =>
    Array.from({ length: bag[kind] }, () => ({ kind, place: random.unit() })),
  );
  return kinds.toSorted((a, b) => a.place - b.place).map(({ kind }) => kind);
}

/** Draws the same count of numbers for every kind, so that one kind's proportion does not change the others' moments. */
function drawStroke(kind: StrokeKind, random: Random): Stroke {
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

function targetOf(kind: StrokeKind, second: boolean): TargetName {
  if (kind === 'collector') return second ? 'collector-2' : 'collector';
  if (kind === 'aggregator' || kind === 'zombie') return second ? 'aggregator-2' : 'aggregator';
  return kind;
}

function between(min: number, max: number, random: Random): number {
  return min + random.unit() * (max - min);
}
