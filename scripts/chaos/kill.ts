/*
 * `npm run chaos:kill`: kills aggregators, store, broker and collectors under load, and stops aggregators for longer
 * than their session; then checks that sent = stored and that all accounts agree. Prints figures as JSON lines; exits
 * with 1 and names the differences if there are any.
 */
import { type Figure, figure, type Goal, printFigure, say } from '../bench/figure.js';
import { createCommand, parseCommandLine } from '../options/command-line.js';
import { findingsFigures, NONE } from './findings-figures.js';
import { type KillOutcome, runKillLoop, startKillPipeline } from './kill-run.js';
import { newSeed, runDuration, seed } from './options.js';

const RECORDS_PER_SECOND = 2_000;
/** A kill or stop of an aggregator halts its group for 10 s, so there are more of the others. */
const FAULTS_PER_ROUND = { store: 5, collector: 5, broker: 2, aggregator: 2, zombie: 1 };

const options = readRunOptions(process.argv.slice(2));
say(`seed ${options.seed}: kills for ${options.forS} s`);
const pipeline = await startKillPipeline();
try {
  const outcome = await runKillLoop(pipeline, {
    seed: options.seed,
    perRound: FAULTS_PER_ROUND,
    until: { ms: options.forS * 1_000 },
    recordsPerSecond: RECORDS_PER_SECOND,
    say,
  });
  const figures = figuresOf(outcome, options);
  for (const one of figures) printFigure(one);
  for (const detail of [...outcome.findings.details, ...outcome.alarms]) say(detail);
  for (const token of outcome.leftUnknown) say(`an insert whose outcome stayed unknown: ${token}`);
  process.exitCode = figures.every(({ met }) => met !== false) ? 0 : 1;
} finally {
  await pipeline.end();
}

function figuresOf(outcome: KillOutcome, { seed, forS }: { seed: number; forS: number }): Figure[] {
  const { findings, kills } = outcome;
  const all = Object.values(kills).reduce((sum, count) => sum + count, 0);
  return [
    figure('seed', seed, ''),
    // At least 30 kills, 10 ambiguous inserts and one zombie in 180 s.
    figure('kills', all, '', atLeast(forS / 6)),
    figure('kills-of-aggregators', kills.aggregator, ''),
    figure('kills-of-store', kills.store, ''),
    figure('kills-of-broker', kills.broker, ''),
    figure('kills-of-collectors', kills.collector, ''),
    figure('kills-while-starting', outcome.killsWhileStarting, ''),
    figure('zombies', outcome.zombies, '', atLeast(forS / 180)),
    figure('ends-without-a-kill', outcome.unexpectedEnds, ''),
    figure('ambiguous-inserts', outcome.ambiguousInserts, '', atLeast(forS / 18)),
    figure('inserts-left-unknown', outcome.leftUnknown.length, '', { goal: NONE }),
    figure('repeated-inserts', outcome.repeatedInserts, ''),
    figure('repeated-requests', outcome.repeatedRequests, ''),
    figure('reconciliation-checks', outcome.checks, '', atLeast(1)),
    figure('reconciliation-alarms', outcome.alarms.length, '', { goal: NONE }),
    figure('sent', outcome.sentRecords, 'records'),
    ...findingsFigures(findings),
    figure('sent-not-stored-exactly', Math.abs(outcome.sentRecords - findings.stored), 'records', {
      goal: NONE,
    }),
    figure('longest-recovery', outcome.longestRecoveryMs, 'ms'),
    figure('longest-outage', outcome.longestOutageMs, 'ms'),
    figure('longest-silence', outcome.longestSilenceMs, 'ms'),
  ];
}

function readRunOptions(argv: readonly string[]): { forS: number; seed: number } {
  const command = createCommand(
    'chaos:kill',
    'Kills every part of the pipeline under load, and checks every record and all accounting.',
  )
    .option('--for <duration>', 'how long kills go on, such as 60s (default: 180s)', runDuration)
    .option('--seed <n>', 'repeats victims, order and moments of another run', seed);
  const read = parseCommandLine(command, argv).opts<{ for?: number; seed?: number }>();
  return { forS: (read.for ?? 180_000) / 1_000, seed: read.seed ?? newSeed() };
}

function atLeast(limit: number): { goal: Goal } {
  return { goal: { bound: 'at_least', limit: Math.floor(limit) } };
}
