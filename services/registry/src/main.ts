/*
 * The registry's process and its commands. `main.js` runs it; `migrate [--dry-run]` creates or changes its tables;
 * `backup` and `restore ID|newest` are those of backups; `new-master-key` prints one, and `rotate-master-key` wraps the keys
 * of secrets with it; `check` and `--check-config` are those of every service.
 */
import { readableApplicationsFile } from '@imscope/access/readable-applications-file.js';
import { runService } from '@imscope/runtime/service.js';
import { createSessionSeal } from '@imscope/access/session-seal.js';
import { differentPorts, hostAddress, probe, writableDirectory } from '@imscope/runtime/setting-probes.js';
import { backupCommand, restoreCommand } from './backup-command.js';
import { REGISTRY_SETTINGS, registrySettingFaults } from './config.js';
import { startRegistry } from './create-registry.js';
import { MASTER_KEY_PROBE, newMasterKeyLine } from './secrets/master-keys.js';
import { migrateCommand } from '@imscope/state/migrate-command.js';
import { migrateTables } from './open-state.js';
import { rotateMasterKeyCommand } from './rotate-master-key-command.js';

await runService(
  {
    name: 'registry',
    settings: REGISTRY_SETTINGS,
    dependencies: ['database'],
    probes: [
      hostAddress('registryHost'),
      differentPorts('registryPort', 'adminPort'),
      readableApplicationsFile('registryFile'),
      writableDirectory('objectsDir'),
      MASTER_KEY_PROBE,
      probe('sessionKey', ({ sessionKey }) => void createSessionSeal(sessionKey)),
    ],
    commands: {
      backup: (args) => backupCommand(args, process.env, process),
      restore: (args) => restoreCommand(args, process.env, process),
      migrate: (args) => migrateCommand(args, process.env, process, migrateTables),
      'new-master-key': () => {
        process.stdout.write(newMasterKeyLine(Date.now()));
        return 0;
      },
      'rotate-master-key': (args) => rotateMasterKeyCommand(args, process.env, process),
    },
    check: registrySettingFaults,
    start: (context) => startRegistry(context),
  },
  process,
);
