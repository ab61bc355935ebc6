/* What the command lines of chaos runs have in common. */
import { randomInt } from 'node:crypto';
import { duration, type ValueType, wholeNumber } from '../options/value-types.js';

const SEEDS = 1_000_000_000;
const RUN_MS_MAX = 3 * 3_600_000;

export const seed: ValueType<number> = wholeNumber(0, SEEDS - 1);
export const kills: ValueType<number> = wholeNumber(0, 1_000_000);
export const runDuration: ValueType<number> = duration(1_000, RUN_MS_MAX);

export function newSeed(): number {
  return randomInt(SEEDS);
}
