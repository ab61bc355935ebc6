/*
 * The collector's process: gateways' request logs in over HTTP, into the write-ahead log, and as Avro containers
 * out to Kafka. `main.js spool-check [--json] DIRECTORY` reads a spool and says what it holds;
 * `main.js check` looks at the settings.
 */
import { parseArgs } from 'node:util';
import { runService } from '@imscope/runtime/service.js';
import { checkCollectorSettings } from './check-settings.js';
import { startCollector } from './create-collector.js';
import { COLLECTOR_PROBES } from './config-probes.js';
import { COLLECTOR_SETTINGS } from './config.js';
import { checkSpool } from './spool/check-spool.js';
import { describeSpool } from './spool/describe-spool.js';

/** Exit codes: 0 whole, 1 damaged, 2 no spool. */
async function runSpoolCheck(args: readonly string[]): Promise<number> {
  const given = readArguments(args);
  if (typeof given === 'string') {
    process.stderr.write(`spool-check: ${given}\n`);
    return 2;
  }
  const { directory, json } = given;
  try {
    const report = await checkSpool(directory);
    process.stdout.write(
      json ? `${JSON.stringify(report, undefined, 2)}\n` : describeSpool(directory, report, Date.now()),
    );
    return report.faults.every(({ kind }) => kind === 'torn_tail') ? 0 : 1;
  } catch (error) {
    process.stderr.write(`spool-check: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}

/** The arguments of spool-check, or what is wrong with them. */
function readArguments(args: readonly string[]): { directory: string; json: boolean } | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' } },
    });
    const [directory, ...more] = positionals;
    if (directory === undefined || more.length > 0) return 'name the directory of one spool';
    return { directory, json: values.json === true };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

await runService(
  {
    name: 'collector',
    settings: COLLECTOR_SETTINGS,
    check: checkCollectorSettings,
    dependencies: ['spool'],
    probes: COLLECTOR_PROBES,
    commands: { 'spool-check': runSpoolCheck },
    start: startCollector,
  },
  process,
);
