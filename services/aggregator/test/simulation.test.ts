import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from './simulation/simulate.js';

/** `SIMULATION_SEED=7` logs one run step by step; `SIMULATION_SEEDS=20000` runs more of them. */
const one = process.env['SIMULATION_SEED'];
const seeds = Number(process.env['SIMULATION_SEEDS'] ?? '2000');

/**
 * Seeds that showed a fault once. A change to the simulation makes them other runs; they stay, because they cost nothing.
 * 2: a block of nothing but duplicates stayed open for ever. 15: a partition that could not be opened was not asked
 * for again. 39, 52, 69: copies of an unreadable batch, dead for one owner and duplicates for the next. 538, 1933,
 * 2022: a recreated topic that ended before the old commit was not read. 16983: a marker deleted from the log while
 * two owners read it, recorded by one and jumped over by the other. 58, 400, 473, 484, 525, 967: see the broken
 * steps about epochs and starts, which were in the code once.
 */
const SEEDS_THAT_FAILED_ONCE = [2, 15, 39, 52, 58, 69, 400, 473, 484, 525, 538, 967, 1_933, 2_022, 16_983];

async function check(seed: number): Promise<{ blocks: number; rows: number; deaths: number }> {
  const { violations, counts } = await simulate(seed);
  if (violations.length > 0) {
    assert.fail(
      `seed ${seed} breaks a promise: ${violations.slice(0, 5).join('\n  ')}\nSIMULATION_SEED=${seed} logs it step by step`,
    );
  }
  return counts;
}

if (one !== undefined) {
  test(`seed ${one}, step by step`, async () => {
    const { violations, trace } = await simulate(Number(one), { verbose: true });
    for (const line of trace) process.stdout.write(`${line}\n`);
    assert.deepEqual(violations, []);
  });
} else {
  test('whatever fails, every record is stored once, and ledger, rows and dead letters agree', async () => {
    const sum = { blocks: 0, rows: 0, deaths: 0 };
    for (let seed = 1; seed <= seeds; seed++) {
      const { blocks, rows, deaths } = await check(seed);
      sum.blocks += blocks;
      sum.rows += rows;
      sum.deaths += deaths;
    }
    // A run in which nothing happens would find nothing.
    assert.ok(sum.blocks > seeds * 5 && sum.rows > seeds * 50 && sum.deaths > seeds, JSON.stringify(sum));
  });

  test('seeds that showed a fault once show none', async () => {
    for (const seed of SEEDS_THAT_FAILED_ONCE) await check(seed);
  });

  test('a seed is one run: logged twice, step by step, it is the same', async () => {
    for (const seed of [3, 400]) {
      const [first, second] = [
        await simulate(seed, { verbose: true }),
        await simulate(seed, { verbose: true }),
      ];
      assert.ok(first.trace.length > 20);
      assert.deepEqual(first, second);
    }
  });
}
