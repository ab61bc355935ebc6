/*
 * The command line of ./scripts/start: names, defaults, bounds.
 */
import { createCommand, parseCommandLine } from '../options/command-line.js';
import { duration, port, wholeNumber } from '../options/value-types.js';
import { inWorkDir } from '../stack/repo-root.js';

export type DemoOptions = {
  readonly host: string;
  readonly port: number;
  readonly collectorPort: number;
  readonly registryPort: number;
  readonly storePort: number;
  readonly kafkaPort: number;
  readonly data: string;
  readonly fresh: boolean;
  readonly traffic: boolean;
  readonly records: number;
  readonly rate: number;
  /** Ends by itself after so many milliseconds of running. */
  readonly for?: number;
};

/** An end by itself is for tests and demonstrations. */
const FOR_MS_MAX = 7 * 86_400_000;

/** Reads the arguments of ./scripts/start. */
export function readDemoOptions(argv: readonly string[]): DemoOptions {
  const command = createCommand(
    'scripts/start',
    'Starts imscope on this machine, with simulated history and live traffic.',
  )
    .option(
      '--host <address>',
      'where the dashboard listens; others than 127.0.0.1 can be reached from outside',
      '127.0.0.1',
    )
    .option('--port <n>', 'port of the dashboard', port, 8080)
    .option('--collector-port <n>', 'port gateways send to', port, 8088)
    .option('--registry-port <n>', 'port of the registry', port, 8090)
    .option('--store-port <n>', 'port of the store', port, 8123)
    .option('--kafka-port <n>', 'port of Kafka', port, 9092)
    .option('--data <dir>', 'where data, logs and tokens lie', inWorkDir('data'))
    .option('--fresh', 'delete the data of earlier starts first', false)
    .option('--no-traffic', 'start the services only: no history, no live traffic')
    .option('--records <n>', 'records of the six days of history', wholeNumber(1_000, 100_000_000), 1_000_000)
    .option('--rate <n>', 'live records a second', wholeNumber(1, 100_000), 300)
    .option(
      '--for <duration>',
      'end after so long, such as 60s or 5m, and exit with 0 only if nothing was lost or doubled',
      duration(1_000, FOR_MS_MAX),
    );
  return parseCommandLine(command, argv).opts<DemoOptions>();
}
