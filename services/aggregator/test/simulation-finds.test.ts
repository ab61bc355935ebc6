import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BROKEN_STEPS } from './simulation/broken-steps.js';
import { simulate } from './simulation/simulate.js';

/** Runs that a fault may take to show. */
const SEEDS_MAX = 500;

for (const { title, breakage, breakBatch, finds, from = 1 } of BROKEN_STEPS) {
  test(`the simulation finds ${title}`, async () => {
    const seen = new Set<string>();
    for (let seed = from; seed < from + SEEDS_MAX; seed++) {
      const { violations } = await simulate(seed, { breakage, breakBatch });
      if (violations.some((violation) => finds.test(violation))) return;
      for (const violation of violations) seen.add(violation);
    }
    assert.fail(
      `seeds ${from} to ${from + SEEDS_MAX - 1} found: ${[...seen].slice(0, 10).join('\n') || 'nothing'}`,
    );
  });
}
