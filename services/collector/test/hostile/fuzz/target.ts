/*
 * What fuzzing asks of a parser: whatever the bytes, it says one of the words it documents, throws nothing else, and
 * takes processor time in proportion to their number.
 */
import assert from 'node:assert/strict';
import type fc from 'fast-check';

export type FuzzTarget = {
  readonly name: string;
  readonly inputs: fc.Arbitrary<Buffer>;
  /** What the parser said, out of `words`. Throws where it breaks a promise. */
  readonly run: (input: Buffer) => string;
  readonly words: ReadonlySet<string>;
  /** An input as it comes every day: what others are held against. */
  readonly ordinary: Buffer;
};

/**
 * Times the cost of an ordinary byte that a hostile one may take. Checks of a record stop at its first fault, so most
 * inputs are far below; scrubbing is the dearest thing there is.
 */
export const COST_FACTOR = 100;
/** Looked at anew so often before it counts: collecting garbage and compiling fall on whoever is running. */
const LOOKS_MAX = 6;
const ORDINARY_LOOKS = 40;

/** Runs one input, and throws where what it said is none of the words. */
export function runOnce({ name, run, words }: FuzzTarget, input: Buffer): string {
  const said = run(input);
  assert(words.has(said), `${name} said ${JSON.stringify(said)}`);
  return said;
}

/** Judges processor time against that of ordinary input, byte for byte, an input below its size counting as one. */
export function createCostJudge(target: FuzzTarget): (input: Buffer) => void {
  const { ordinary, run, name } = target;
  for (let look = 0; look < ORDINARY_LOOKS; look++) run(ordinary);
  const usualMicros = Math.max(1, median(Array.from({ length: ORDINARY_LOOKS }, () => cost(run, ordinary))));
  return (input) => {
    const allowedMicros = COST_FACTOR * usualMicros * Math.max(1, input.length / ordinary.length);
    let micros = Number.POSITIVE_INFINITY;
    for (let look = 0; look < LOOKS_MAX && micros > allowedMicros; look++) {
      micros = Math.min(micros, cost(run, input));
    }
    assert(
      micros <= allowedMicros,
      `${name} took ${micros} µs for ${input.length} bytes; ${ordinary.length} ordinary ones take ${usualMicros}`,
    );
  };
}

/** Microseconds of processor time of the whole process. */
function cost(run: FuzzTarget['run'], input: Buffer): number {
  const before = process.cpuUsage();
  run(input);
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
