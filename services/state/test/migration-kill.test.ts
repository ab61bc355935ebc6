import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import type { UntypedTables } from '../src/database.js';
import { migrate } from '../src/migrate.js';
import { DIALECTS, emptyDatabase } from './both-databases.js';
import { BOTH_PETS, PET_MIGRATIONS, PET_STATEMENTS } from './pet-migrations.js';

const PROCESS = new URL('migration-process.ts', import.meta.url).pathname;

type Ended = { readonly stdout: string; readonly signal: NodeJS.Signals | null };

async function run(options: object): Promise<Ended> {
  const node = process.execArgv.filter((argument) => !argument.startsWith('--test'));
  return new Promise((resolve) => {
    execFile(process.execPath, [...node, PROCESS, JSON.stringify(options)], (error, stdout) =>
      resolve({ stdout, signal: error?.signal ?? null }),
    );
  });
}

for (const dialect of DIALECTS)
  test(`${dialect}: processes killed one after the other, each a step further, leave a complete result`, async () => {
    const whole = await emptyDatabase(dialect);
    const steps = Number((await run(whole.options)).stdout);
    assert.ok(steps >= 3 * PET_STATEMENTS, `${steps} steps`);
    const base = await emptyDatabase(dialect);
    let kills = 0;
    // Each run has fewer steps left, so a step is met from before and after its statement.
    for (let dieAt = 2; ; dieAt = dieAt === 2 ? 3 : 2) {
      const { signal } = await run({ ...base.options, dieAt });
      if (signal === null) break;
      assert.equal(signal, 'SIGKILL');
      kills++;
      assert.ok(kills < 60);
    }
    assert.ok(kills >= PET_STATEMENTS - 1, `${kills} kills`);
    const database = base.open<UntypedTables>();
    assert.deepEqual((await migrate(database, 'pets', PET_MIGRATIONS)).statements, []);
    const pets = await database.kysely.selectFrom('pet').select(['name', 'owner']).orderBy('name').execute();
    assert.deepEqual(pets, BOTH_PETS);
  });
