/*
 * `npm run chaos:collector`: kills the collector under load, or stops Kafka, and checks that no acknowledged record is
 * lost or doubled and that all accounts agree. Prints figures as JSON lines; exits with 1 and names the differences if
 * there are any.
 */
import { figure, printFigure, say } from '../bench/figure.js';
import { createCommand, parseCommandLine } from '../options/command-line.js';
import { startChaosPipeline } from './chaos-pipeline.js';
import { findingsFigures } from './findings-figures.js';
import { isClean } from './check-accounting.js';
import { runAgainstCollector, type RunOutcome } from './collector-run.js';
import { kills, newSeed, runDuration, seed } from './options.js';

const RECORDS_PER_SECOND = 2_000;

const options = readRunOptions(process.argv.slice(2));
say(`seed ${options.seed}: ${options.kills} kills, broker away for ${options.brokerAwayMs / 1_000} s`);
const pipeline = await startChaosPipeline();
try {
  const run = { ...options, name: 'run', recordsPerSecond: RECORDS_PER_SECOND, say };
  const outcome = await runAgainstCollector(pipeline, run);
  printOutcome(outcome, options.seed);
  for (const detail of outcome.findings.details) say(detail);
  process.exitCode = isClean(outcome.findings) ? 0 : 1;
} finally {
  await pipeline.end();
}

function printOutcome(outcome: RunOutcome, seed: number): void {
  const { findings } = outcome;
  const figures = [
    figure('seed', seed, ''),
    figure('kills', outcome.kills, ''),
    figure('kills-while-starting', outcome.killsWhileStarting, ''),
    figure('acknowledged-without-broker', outcome.acknowledgedWithoutBroker, 'records'),
    figure('repeated', outcome.repeatedRequests, 'requests'),
    figure('unclear', outcome.unclearRequests, 'requests'),
    ...findingsFigures(findings),
    figure('longest-recovery', outcome.longestRecoveryMs, 'ms'),
    figure('longest-silence', outcome.longestSilenceMs, 'ms'),
  ];
  for (const one of figures) printFigure(one);
}

function readRunOptions(argv: readonly string[]): { kills: number; brokerAwayMs: number; seed: number } {
  const command = createCommand(
    'chaos:collector',
    'Kills the collector under load, or stops Kafka, and checks every record and all accounting.',
  )
    .option('--kills <n>', 'SIGKILLs at random moments (default: 100, or 0 with --broker-away)', kills)
    .option('--broker-away <duration>', 'kills the broker for so long, such as 30s or 600s', runDuration)
    .option('--seed <n>', 'repeats the moments of another run', seed);
  const read = parseCommandLine(command, argv).opts<{ kills?: number; brokerAway?: number; seed?: number }>();
  return {
    kills: read.kills ?? (read.brokerAway === undefined ? 100 : 0),
    brokerAwayMs: read.brokerAway ?? 0,
    seed: read.seed ?? newSeed(),
  };
}
