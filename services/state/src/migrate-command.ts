/* The command `migrate [--dry-run]`: creates or changes the tables of a service. It can be ended and run again. */
import { type Environment, loadConfig, settingsAreWrong } from '@imscope/runtime/config.js';
import { errorMessage } from '@imscope/runtime/error-message.js';
import { DATABASE_SETTINGS, type DatabaseConfig } from './database-settings.js';

const NAME = 'migrate';

/**
 * @param migrateTables returns the statements that were done, or with `dryRun` would be
 * @returns the exit code: 0 the tables are up to date, 1 failed, 2 wrong settings or arguments
 */
export async function migrateCommand(
  args: readonly string[],
  environment: Environment,
  { stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'>,
  migrateTables: (config: DatabaseConfig, dryRun: boolean) => Promise<readonly string[]>,
): Promise<number> {
  const [option, ...more] = args;
  if ((option !== undefined && option !== '--dry-run') || more.length > 0) {
    stderr.write(`${NAME}: ${JSON.stringify(args.join(' '))} is no option: give --dry-run, or nothing\n`);
    return 2;
  }
  const loaded = loadConfig(DATABASE_SETTINGS, environment);
  if (!loaded.ok) {
    stderr.write(settingsAreWrong(NAME, loaded.errors));
    return 2;
  }
  const dryRun = option !== undefined;
  try {
    const statements = await migrateTables(loaded.config, dryRun);
    for (const statement of statements) stdout.write(`${statement};\n`);
    const done = dryRun ? 'would be done' : 'done';
    stdout.write(statements.length === 0 ? 'nothing to do\n' : `${statements.length} statements ${done}\n`);
    return 0;
  } catch (error) {
    stderr.write(`${NAME}: ${errorMessage(error)}; what was done stays so: run it again\n`);
    return 1;
  }
}
