/* The command `rotate-master-key`: wraps all data keys with the first master key. It can be ended and run again. */
import { type Environment, loadConfig, settingsAreWrong } from '@imscope/runtime/config.js';
import { errorMessage } from '@imscope/runtime/error-message.js';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import { openDatabase } from '@imscope/state/database.js';
import { DATABASE_SETTINGS, databaseOptions } from '@imscope/state/database-settings.js';
import type { RegistryTables } from './rows/tables.js';
import { MASTER_KEY_SETTINGS, masterKeySettingFaults, readMasterKeys } from './secrets/master-keys.js';
import { rotateMasterKey } from './secrets/rotate-master-key.js';

const SETTINGS = {
  ...DATABASE_SETTINGS,
  ...MASTER_KEY_SETTINGS,
};
const NAME = 'rotate-master-key';

/** @returns the exit code: 0 all data keys are wrapped with the active key, 1 failed, 2 wrong settings or arguments */
export async function rotateMasterKeyCommand(
  args: readonly string[],
  environment: Environment,
  { stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'>,
): Promise<number> {
  if (args.length > 0) {
    stderr.write(`${NAME}: it takes no arguments: the first master key of the settings is the new one\n`);
    return 2;
  }
  const loaded = loadConfig(SETTINGS, environment);
  const faults = loaded.ok ? masterKeySettingFaults(loaded.config) : loaded.errors;
  if (!loaded.ok || faults.length > 0) {
    stderr.write(settingsAreWrong(NAME, faults));
    return 2;
  }
  const { config } = loaded;
  try {
    const masterKeys = readMasterKeys(config);
    const database = openDatabase<RegistryTables>(databaseOptions(config));
    try {
      const rewrapped = await rotateMasterKey(database, masterKeys, {
        onBatch: (count) => {
          stdout.write(`${count} data keys wrapped with master key ${masterKeys.active.id}\n`);
        },
      });
      stdout.write(
        `done: ${rewrapped} data keys wrapped; no data key needs another master key than ${masterKeys.active.id}\n`,
      );
      return 0;
    } finally {
      await database.close();
    }
  } catch (error) {
    if (error instanceof SettingsError) {
      stderr.write(settingsAreWrong(NAME, error.faults));
      return 2;
    }
    stderr.write(`${NAME}: ${errorMessage(error)}; what was wrapped stays so: run it again\n`);
    return 1;
  }
}
