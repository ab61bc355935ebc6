/*
 * A process that migrates and kills itself at a step: `migration-process.ts '{"url":…,"password":…,"dieAt":3}'`. Without
 * `dieAt` it prints how many steps there are.
 */
import { openDatabase, type UntypedTables } from '../src/database.js';
import { migrate } from '../src/migrate.js';
import { PET_MIGRATIONS } from './pet-migrations.js';

const { url, password, dieAt }: { url: string; password?: string; dieAt?: number } = JSON.parse(
  process.argv[2] ?? '{}',
);
const database = openDatabase<UntypedTables>({ url, ...(password === undefined ? {} : { password }) });
let steps = 0;
await migrate(database, 'pets', PET_MIGRATIONS, {
  onStep: () => {
    if (steps++ === dieAt) process.kill(process.pid, 'SIGKILL');
  },
});
process.stdout.write(String(steps));
await database.close();
