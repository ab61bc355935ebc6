/*
 * `npm run chaos:fuzz`: gives every parser of the collector random inputs for a given time. Prints figures as JSON lines;
 * an input that breaks a promise is written into the corpus of the tests, and the process ends with 1.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { CORPUS_DIRECTORY } from '../../services/collector/test/hostile/fuzz/corpus.js';
import {
  createCostJudge,
  type FuzzTarget,
  runOnce,
} from '../../services/collector/test/hostile/fuzz/target.js';
import { FUZZ_TARGETS } from '../../services/collector/test/hostile/fuzz/targets.js';
import { figure, printFigure, say } from '../bench/figure.js';
import { createCommand, parseCommandLine } from '../options/command-line.js';
import { NONE } from './findings-figures.js';
import { newSeed, runDuration, seed as seedNumber } from './options.js';

/** Inputs of one target before the next target. */
const RUNS_PER_ROUND = 200;

type Progress = {
  readonly target: FuzzTarget;
  readonly assertCost: (input: Buffer) => void;
  inputs: number;
  found: number;
};

const { forS, seed: first } = readRunOptions(process.argv.slice(2));
say(`seed ${first}: ${FUZZ_TARGETS.length} parsers for ${forS} s`);
const all: Progress[] = FUZZ_TARGETS.map((target) => ({
  target,
  assertCost: createCostJudge(target),
  inputs: 0,
  found: 0,
}));
const deadline = performance.now() + forS * 1_000;
for (let seed = first; performance.now() < deadline; seed++) {
  // A target that failed once would fail in every round.
  for (const one of all) if (one.found === 0) runRound(one, seed);
}
printFigure(figure('seed', first, ''));
for (const { target, inputs, found } of all) {
  printFigure(figure(`${target.name}-inputs`, inputs, ''));
  printFigure(figure(`${target.name}-found`, found, '', { goal: NONE }));
}
process.exitCode = all.every(({ found }) => found === 0) ? 0 : 1;

function runRound(one: Progress, seed: number): void {
  const { target, assertCost } = one;
  const property = fc.property(target.inputs, (input) => {
    one.inputs += 1;
    runOnce(target, input);
    assertCost(input);
  });
  const { failed, counterexample, errorInstance } = fc.check(property, { seed, numRuns: RUNS_PER_ROUND });
  if (!failed) return;
  one.found += 1;
  const [input] = counterexample ?? [Buffer.alloc(0)];
  const name = `${target.name}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}.input`;
  writeFileSync(join(CORPUS_DIRECTORY, name), input);
  say(
    `${target.name}, seed ${seed}: ${errorInstance instanceof Error ? errorInstance.message : String(errorInstance)}`,
  );
  say(`kept as ${name}`);
}

function readRunOptions(argv: readonly string[]): { forS: number; seed: number } {
  const command = createCommand(
    'chaos:fuzz',
    'Gives every parser of the collector random inputs, and keeps those that break a promise.',
  )
    .option('--for <duration>', 'such as 60s (default: 60s)', runDuration)
    .option('--seed <n>', 'begins where another run did', seedNumber);
  const read = parseCommandLine(command, argv).opts<{ for?: number; seed?: number }>();
  return { forS: (read.for ?? 60_000) / 1_000, seed: read.seed ?? newSeed() };
}
