/*
 * Inputs kept for good: written by hand, or found by fuzzing. Every parser is given every one of them, whatever it was
 * found with.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const CORPUS_DIRECTORY = fileURLToPath(new URL('../corpus/', import.meta.url));

/** Of the runs that are part of the tests. One that found something stays here. */
export const SEEDS: readonly number[] = [20_261_125, 777_215_233];

export function readCorpus(): readonly { readonly name: string; readonly bytes: Buffer }[] {
  return readdirSync(CORPUS_DIRECTORY)
    .toSorted()
    .map((name) => ({ name, bytes: readFileSync(`${CORPUS_DIRECTORY}/${name}`) }));
}
