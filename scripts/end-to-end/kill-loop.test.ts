/*
 * A short run of `npm run chaos:kill`: a few kills of each kind and one zombie. Also tests that its plan is determined
 * by the seed.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isClean } from '../chaos/check-accounting.js';
import { planFaults, type Fault } from '../chaos/kill-plan.js';
import { type KillPipeline, runKillLoop, startKillPipeline } from '../chaos/kill-run.js';

const FAULTS_PER_ROUND = { store: 3, collector: 2, broker: 1, aggregator: 1, zombie: 1 };
const FAULTS = Object.values(FAULTS_PER_ROUND).reduce((sum, count) => sum + count, 0);
/** With this seed the zombie is stopped while the other aggregator and the broker are killed, which keeps the run short. */
const SEED = 128;

let pipeline: KillPipeline;

before(async () => {
  pipeline = await startKillPipeline();
});

after(() => pipeline.end());

function faults(seed: number, count: number): Fault[] {
  const plan = planFaults(seed, FAULTS_PER_ROUND);
  return Array.from({ length: count }, () => plan.next().value);
}

test('the plan is determined by its seed, and every round has the configured number of faults of each kind', () => {
  const plan = faults(SEED, 3 * FAULTS);
  assert.deepEqual(faults(SEED, 3 * FAULTS), plan);
  assert.notDeepEqual(faults(SEED + 1, 3 * FAULTS), plan);
  for (const from of [0, FAULTS, 2 * FAULTS]) {
    const kinds = plan.slice(from, from + FAULTS).map(({ kind }) => kind);
    for (const [kind, count] of Object.entries(FAULTS_PER_ROUND))
      assert.equal(kinds.filter((one) => one === kind).length, count, `${kind} in the round from ${from}`);
  }
});

test('every service is killed under load and a zombie aggregator continues: sent = stored, and all accounting agrees', async () => {
  const outcome = await runKillLoop(pipeline, {
    seed: SEED,
    perRound: FAULTS_PER_ROUND,
    until: { faults: FAULTS },
    recordsPerSecond: 1_500,
    say: () => undefined,
  });
  const { findings, kills, zombies } = outcome;
  assert.deepEqual({ ...kills, zombie: zombies }, FAULTS_PER_ROUND);
  assert.deepEqual([...findings.details, ...outcome.alarms, ...outcome.leftUnknown], []);
  assert.ok(isClean(findings), JSON.stringify(findings));
  assert.equal(findings.stored, outcome.sentRecords);
  assert.ok(outcome.sentRecords > 10_000, `${outcome.sentRecords} records were sent`);
  assert.ok(outcome.ambiguousInserts > 0, 'no kill fell into an insert');
  assert.ok(outcome.repeatedInserts > 0, 'no insert was ever made again under its token');
});
