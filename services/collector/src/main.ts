/*
 * The collector's process: gateways' request logs in over HTTP, into the write-ahead log, and as Avro containers
 * out to Kafka. `main.js spool-check [--json] DIRECTORY` reads a spool and says what it holds;
 * `main.js check` looks at the settings.
 */
import { runService } from '@imscope/runtime/service.js';
import { checkTermSettings } from '@imscope/runtime/term-settings.js';
import { startCollector } from './collector.js';
import { COLLECTOR_PROBES } from './config-probes.js';
import { COLLECTOR_SETTINGS } from './config.js';
import { checkHistorySettings } from './history-settings.js';
import { checkSpool } from './spool/check-spool.js';
import { describeSpool } from './spool/describe-spool.js';
import { checkCollectorSettings } from './tail/tail-settings.js';

/** Exit codes: 0 whole, 1 damaged, 2 no spool. */
async function runSpoolCheck(args: readonly string[]): Promise<number> {
  const directory = args.find((argument) => !argument.startsWith('--'));
  if (directory === undefined) {
    process.stderr.write('spool-check: name the directory of a spool\n');
    return 2;
  }
  try {
    const report = await checkSpool(directory);
    const json = args.includes('--json');
    process.stdout.write(
      json ? `${JSON.stringify(report, undefined, 2)}\n` : describeSpool(directory, report, Date.now()),
    );
    return report.faults.every(({ kind }) => kind === 'torn_tail') ? 0 : 1;
  } catch (error) {
    process.stderr.write(`spool-check: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}

if (process.argv[2] === 'spool-check') process.exitCode = await runSpoolCheck(process.argv.slice(3));
else {
  await runService(
    {
      name: 'collector',
      settings: COLLECTOR_SETTINGS,
      check: (settings) => [
        ...checkTermSettings(settings),
        ...checkHistorySettings(settings),
        ...checkCollectorSettings(settings),
      ],
      dependencies: ['spool'],
      probes: COLLECTOR_PROBES,
      start: startCollector,
    },
    process,
  );
}
