/*
 * The collector's process: request logs of gateways in over HTTP or out of tailed files, into the write-ahead log, and
 * as Avro containers to Kafka. `main.js check` checks the settings; `main.js spool-check [--json] DIRECTORY` reads a
 * spool and reports what it holds.
 */
import { runService } from '@imscope/runtime/service.js';
import { checkCollectorSettings } from './check-settings.js';
import { COLLECTOR_PROBES } from './config-probes.js';
import { COLLECTOR_SETTINGS } from './config.js';
import { createCollector } from './create-collector.js';
import { checkSpoolCommand } from './spool-check-command.js';

await runService(
  {
    name: 'collector',
    settings: COLLECTOR_SETTINGS,
    check: checkCollectorSettings,
    dependencies: ['spool'],
    probes: COLLECTOR_PROBES,
    commands: { 'spool-check': (args) => checkSpoolCommand(args, process) },
    start: (context) => createCollector(context),
  },
  process,
);
