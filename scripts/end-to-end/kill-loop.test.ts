/*
 * The kill loop at its shortest: what `npm run chaos:kill` does at length, with a few kills of each kind and a zombie.
 * And its plan, which must say the same for the same seed.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isClean } from '../chaos/check-accounting.js';
import { planStrokes, type Stroke } from '../chaos/kill-plan.js';
import { type KillPipeline, runKillLoop, startKillPipeline } from '../chaos/kill-run.js';

const BAG = { store: 3, collector: 2, broker: 1, aggregator: 1, zombie: 1 };
const STROKES = Object.values(BAG).reduce((sum, count) => sum + count, 0);
/** Its zombie sleeps while the other aggregator and the broker are killed, so that the run stays short. */
const SEED = 128;

let pipeline: KillPipeline;

before(async () => {
  pipeline = await startKillPipeline();
});

after(() => pipeline.end());

function strokes(seed: number, count: number): Stroke[] {
  const plan = planStrokes(seed, BAG);
  return Array.from({ length: count }, () => plan.next().value);
}

test('the plan of a seed is always the same, and every bag has each kind as often as it shall', () => {
  const plan = strokes(SEED, 3 * STROKES);
  assert.deepEqual(strokes(SEED, 3 * STROKES), plan);
  assert.notDeepEqual(strokes(SEED + 1, 3 * STROKES), plan);
  for (const from of [0, STROKES, 2 * STROKES]) {
    const kinds = plan.slice(from, from + STROKES).map(({ kind }) => kind);
    for (const [kind, count] of Object.entries(BAG))
      assert.equal(kinds.filter((one) => one === kind).length, count, `${kind} in the bag from ${from}`);
  }
});

test('every part killed under load and an aggregator gone on as a zombie: sent = stored, and all books agree', async () => {
  const outcome = await runKillLoop(pipeline, {
    seed: SEED,
    bag: BAG,
    until: { strokes: STROKES },
    recordsPerSecond: 1_500,
    say: () => undefined,
  });
  const { findings, kills, zombies } = outcome;
  assert.deepEqual({ ...kills, zombie: zombies }, BAG);
  assert.deepEqual([...findings.details, ...outcome.alarms, ...outcome.leftUnknown], []);
  assert.ok(isClean(findings), JSON.stringify(findings));
  assert.equal(findings.stored, outcome.sentRecords);
  assert.ok(outcome.sentRecords > 10_000, `${outcome.sentRecords} records were sent`);
  assert.ok(outcome.ambiguousInserts > 0, 'no kill fell into an insert');
  assert.ok(outcome.repeatedInserts > 0, 'no insert was ever made again under its token');
});
