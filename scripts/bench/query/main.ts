/*
 * `npm run bench:query`: every question of the query service over stores of two sizes. Loads logs of a fleet's shape
 * inside the store, their metrics and the rollups of ended hours, asks over HTTP as a caller does, and asks again while
 * blocks are inserted at half the store's rate. Each figure is one JSON line; see scripts/bench/docs/query.md.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Stack, startStack } from '../../stack/stack.js';
import { figure, type Goal, printFigure, say } from '../figure.js';
import { startBackgroundIngest } from './background-ingest.js';
import { benchCases, type Case, groupPaths } from './cases.js';
import { buildRollups, openFleetStore, readRequestId, startFleetStore } from './fleet-store.js';
import { loadFleet } from './load-fleet.js';
import { type Caller, type Measured, measureCases, readFirstGroup } from './measure.js';
import { readQueryBenchOptions } from './options.js';

const GROWTH: Goal = { bound: 'at_most', limit: 1.5 };
const BESIDE_INGEST: Goal = { bound: 'at_most', limit: 2 };
/** An answer that takes less is compared as if it took so long: below, a ratio measures the scheduler. */
const LEAST_MS = 20;

const options = readQueryBenchOptions(process.argv.slice(2));
let smallest: readonly Measured[] | undefined;
for (const rows of options.sizes) {
  const measured = await measureSize(rows, rows === options.sizes.at(-1));
  if (smallest !== undefined) reportGrowth(measured, smallest);
  smallest ??= measured;
}

async function measureSize(rows: number, isLargest: boolean): Promise<Measured[]> {
  const directory = options.data === undefined ? undefined : join(options.data, String(rows));
  if (directory !== undefined) mkdirSync(directory, { recursive: true });
  const stack = {
    name: 'bench-query',
    mode: 'built',
    ...(directory === undefined ? {} : { directory }),
  } as const;
  return startStack(stack, async (started) => {
    try {
      return await measureStack(started, rows, isLargest);
    } finally {
      await started.end();
    }
  });
}

async function measureStack(stack: Stack, rows: number, isLargest: boolean): Promise<Measured[]> {
  const label = `${rows / 1e6}m`;
  await startFleetStore(stack);
  const client = await openFleetStore(stack.store());
  stack.onEnd('client of the bench', () => client.close());
  say(`loading what is missing of ${label} logs`);
  await loadFleet(client, rows, Date.now(), ({ blocks, of }) => {
    if (blocks % 24 === 0 || blocks === of) say(`  ${blocks} of ${of} blocks`);
  });
  say('building the rollups of ended hours');
  await buildRollups(client);
  const { url } = await stack.startQuery({ env: { QUERY_TIMEOUT_MS: '60000' } });
  const caller = { url, token: stack.credentials.readToken };
  const cases = benchCases(await readRequestId(client), await readGroups(caller)).filter(
    ({ name }) => options.only === undefined || options.only.test(name),
  );
  say(`asking ${cases.length} questions, ${options.rounds} rounds`);
  const measured = await measureCases(caller, cases, options.rounds);
  for (const each of measured) report(label, each, isLargest);
  if (isLargest && options.ingest) await measureBesideIngest(caller, client, measured, label);
  return measured;
}

/** By path of the list: a group of exceptions that it names. */
async function readGroups(caller: Caller): Promise<ReadonlyMap<string, string>> {
  const groups = new Map<string, string>();
  for (const path of groupPaths()) {
    const group = await readFirstGroup(caller, path);
    if (group !== undefined) groups.set(path, group);
  }
  return groups;
}

function report(
  label: string,
  { case: { name, goalMs, againMs: againGoalMs }, ...found }: Measured,
  hasGoal: boolean,
): void {
  const key = `${label} ${name}`;
  printFigure(figure(`${key} p50`, found.p50Ms, 'ms'));
  const goal: Goal | undefined =
    goalMs === undefined || !hasGoal ? undefined : { bound: 'below', limit: goalMs };
  printFigure(figure(`${key} p95`, found.p95Ms, 'ms', goal === undefined ? {} : { goal }));
  if (found.againMs !== undefined && againGoalMs !== undefined) {
    const again: Goal = { bound: 'below', limit: againGoalMs };
    printFigure(figure(`${key} asked again p95`, found.againMs, 'ms', hasGoal ? { goal: again } : {}));
  }
  printFigure(figure(`${key} rows read`, found.rows, 'count'));
  printFigure(figure(`${key} bytes read`, found.bytes / 1e6, 'MB'));
}

/** What metrics answer does not depend on the number of logs. */
function reportGrowth(largest: readonly Measured[], earlier: readonly Measured[]): void {
  for (const each of largest) {
    const before = earlier.find((one) => one.case.name === each.case.name);
    if (before === undefined) continue;
    const ratio = ratioOf(each.p95Ms, before.p95Ms);
    printFigure(
      figure(`${each.case.name} growth`, each.p95Ms, 'ms', {
        peer: before.p95Ms,
        ratio,
        ...(each.case.isFromMetrics ? { goal: GROWTH } : {}),
      }),
    );
  }
}

async function measureBesideIngest(
  caller: Caller,
  client: Awaited<ReturnType<typeof openFleetStore>>,
  quiet: readonly Measured[],
  label: string,
): Promise<void> {
  say('the same while blocks are inserted');
  const cases: Case[] = quiet.filter((each) => each.case.isFromMetrics).map((each) => each.case);
  const ingest = await startBackgroundIngest(client);
  printFigure(figure(`${label} rows inserted beside`, ingest.rate, '1/s'));
  const rounds = Math.max(2, Math.floor(options.rounds / 2));
  const measuring = measureCases(caller, cases, rounds);
  await Promise.allSettled([measuring]);
  await ingest.stop();
  const busy = await measuring;
  for (const each of busy) {
    const before = quiet.find((one) => one.case === each.case);
    const ratio = ratioOf(each.p95Ms, before?.p95Ms ?? Number.NaN);
    printFigure(
      figure(`${label} ${each.case.name} beside ingest`, each.p95Ms, 'ms', {
        peer: before?.p95Ms ?? Number.NaN,
        ratio,
        goal: BESIDE_INGEST,
      }),
    );
  }
}

function ratioOf(valueMs: number, peerMs: number): number {
  return Math.max(valueMs, LEAST_MS) / Math.max(peerMs, LEAST_MS);
}
