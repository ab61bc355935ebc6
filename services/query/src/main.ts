/*
 * The query service's process: answers about applications from the request logs, and the dashboard's files.
 */
import { readableApplicationsFile } from '@imscope/access/readable-applications-file.js';
import { createSessionSeal } from '@imscope/access/session-seal.js';
import { checkSourceSettings } from '@imscope/access/source-settings.js';
import { runService } from '@imscope/runtime/service.js';
import {
  differentPorts,
  directoryWith,
  hostAddress,
  httpOrigin,
  httpUrl,
  probe,
} from '@imscope/runtime/setting-probes.js';
import { QUERY_SETTINGS } from './config.js';
import { migrateCommand } from '@imscope/state/migrate-command.js';
import { migrateState } from './state/open-state.js';
import { startQuery } from './create-query.js';

await runService(
  {
    name: 'query',
    settings: QUERY_SETTINGS,
    check: (settings) => checkSourceSettings(settings, true),
    dependencies: ['store'],
    probes: [
      hostAddress('queryHost'),
      differentPorts('queryPort', 'adminPort'),
      readableApplicationsFile('registryFile'),
      directoryWith('dashboardDir', 'index.html', 'build the dashboard first'),
      httpUrl('storeUrl'),
      httpOrigin('registryUrl'),
      probe('sessionKey', ({ sessionKey }) => void createSessionSeal(sessionKey)),
    ],
    commands: { migrate: (args) => migrateCommand(args, process.env, process, migrateState) },
    start: startQuery,
  },
  process,
);
