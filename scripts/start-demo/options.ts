/*
 * The command line of ./scripts/start: names, defaults, bounds.
 */
import { Command, InvalidArgumentError } from 'commander';
import { inWorkDir } from '../stack/repo-root.js';

export type DemoOptions = {
  readonly host: string;
  readonly port: number;
  readonly collectorPort: number;
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

const SECOND_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** Reads the arguments; on a mistake commander says which and ends the process with code 1. */
export function readOptions(argv: readonly string[]): DemoOptions {
  return new Command('scripts/start')
    .description('Starts imscope on this machine, with simulated history and live traffic.')
    .option(
      '--host <address>',
      'where the dashboard listens; others than 127.0.0.1 can be reached from outside',
      '127.0.0.1',
    )
    .option('--port <n>', 'port of the dashboard', whole(1, 65_535), 8080)
    .option('--collector-port <n>', 'port gateways send to', whole(1, 65_535), 8088)
    .option('--store-port <n>', 'port of the store', whole(1, 65_535), 8123)
    .option('--kafka-port <n>', 'port of Kafka', whole(1, 65_535), 9092)
    .option('--data <dir>', 'where data, logs and tokens lie', inWorkDir('data'))
    .option('--fresh', 'delete the data of earlier starts first', false)
    .option('--no-traffic', 'start the services only: no history, no live traffic')
    .option('--records <n>', 'records of the six days of history', whole(1_000, 100_000_000), 1_000_000)
    .option('--rate <n>', 'live records a second', whole(1, 100_000), 300)
    .option(
      '--for <duration>',
      'end after so long, such as 60s or 5m, and exit with 0 only if nothing was lost or doubled',
      duration,
    )
    .parse([...argv], { from: 'user' })
    .opts<DemoOptions>();
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** `60s`, `5m`, `2h` → milliseconds */
function duration(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  const unitMs = SECOND_MS[unit];
  if (amount === undefined || unitMs === undefined || Number(amount) === 0) {
    throw new InvalidArgumentError('Give a duration such as 60s, 5m or 2h.');
  }
  return Number(amount) * unitMs;
}
