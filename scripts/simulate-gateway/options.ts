/*
 * Owns the command line: names, defaults and bounds of every option, read into one typed object. A token is never an
 * option, because any user of the machine can read command lines.
 */
import { InvalidArgumentError, Option } from 'commander';
import { createCommand, parseCommandLine } from '../options/command-line.js';
import { duration, httpUrl, utcTime, wholeNumber } from '../options/value-types.js';
import { APPLICATIONS_MAX } from './applications.js';
import { durationMs } from './durations.js';
import { INCIDENT_NAMES, isIncidentName, type IncidentName } from './incidents.js';
import { IN_FLIGHT_MAX } from './send.js';

/** `--incident-at 60s:error-burst:120s`: delay after live traffic began, name, duration. */
export interface PlannedIncident {
  readonly afterMs: number;
  readonly name: IncidentName;
  readonly forMs: number;
}

export interface SimulatorOptions {
  readonly url: string;
  readonly tokenFile?: string;
  readonly seed: number;
  readonly applications: number;
  readonly history?: number;
  /** Where the history ends, epoch milliseconds; now unless given. */
  readonly until?: number;
  readonly pastIncident: boolean;
  readonly rate?: number;
  readonly records?: number;
  readonly for?: number;
  readonly batch?: number;
  readonly inFlight: number;
  readonly format: 'json' | 'ndjson';
  readonly gzip: boolean;
  readonly giveUpAfter: number;
  readonly incidentAt: readonly PlannedIncident[];
  readonly controlPort?: number;
  readonly exact: boolean;
  readonly truth?: string;
  readonly interfaces: boolean;
  readonly progress: 'text' | 'json' | 'none';
}

const positiveDuration = duration(1, 3_650 * 86_400_000);

export function readSimulatorOptions(argv: readonly string[]): SimulatorOptions {
  const command = createCommand(
    'simulate-gateway',
    'Sends realistic, seeded traffic of IM gateways to a collector, and knows the truth of what it sent.',
  )
    .requiredOption('--url <url>', 'origin of the collector, such as http://127.0.0.1:8088', httpUrl)
    .option('--token-file <file>', 'file that holds the bearer token; else the variable IMSCOPE_TOKEN')
    .option(
      '--seed <n>',
      'same seed, same fleet and same records',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
      1,
    )
    .option('--applications <n>', 'how many applications, by Zipf', wholeNumber(1, APPLICATIONS_MAX), 24)
    .option(
      '--history <duration>',
      'send the past first, such as 6d, as fast as it is accepted',
      positiveDuration,
    )
    .option(
      '--until <time>',
      'where the history ends, such as 2026-05-06T07:08:09Z; now unless given',
      utcTime,
    )
    .option('--no-past-incident', 'leave the incident out of the history')
    .option('--rate <n>', 'then live traffic, records a second', wholeNumber(1, 1_000_000))
    .option(
      '--records <n>',
      'with --history its size; with --rate alone the end; else the last ten minutes, at full speed',
      wholeNumber(1, 1_000_000_000),
    )
    .option('--for <duration>', 'end live traffic after so long', positiveDuration)
    .option(
      '--batch <n>',
      'records a request at most (default: 2000 of history, 500 of live traffic)',
      wholeNumber(1, 10_000),
    )
    .option('--in-flight <n>', 'requests on their way at once', wholeNumber(1, 256), IN_FLIGHT_MAX)
    .addOption(new Option('--format <form>', 'form of a body').choices(['json', 'ndjson']).default('ndjson'))
    .option('--gzip', 'compress bodies', false)
    .option(
      '--give-up-after <duration>',
      'how long a request is sent again while no collector accepts it',
      positiveDuration,
      120_000,
    )
    .option('--incident-at <after:name:for>', 'plan an incident of live traffic, repeatable', plan, [])
    .option(
      '--control-port <port>',
      'loopback port to switch incidents, 0 for a free one',
      wholeNumber(0, 65_535),
    )
    .option('--exact', 'keep every latency, for exact percentiles of up to 4 million records', false)
    .option('--truth <file>', 'write the truth as JSON')
    .option('--interfaces', 'show interfaces in the summary, too', false)
    .addOption(
      new Option('--progress <form>', 'once a second: a line of text or of JSON')
        .choices(['text', 'json', 'none'])
        .default('text'),
    );
  const options = parseCommandLine(command, argv).opts<SimulatorOptions>();
  if (options.history === undefined && options.rate === undefined && options.records === undefined) {
    command.error('nothing to send: give --records, --rate, or --history with --records');
  }
  if (options.history !== undefined && options.records === undefined) {
    command.error('--history needs --records, the size of the history');
  }
  return options;
}

function plan(text: string, before: readonly PlannedIncident[]): readonly PlannedIncident[] {
  const [after = '', name = '', lasting = 'open'] = text.split(':');
  const afterMs = durationMs(after);
  const forMs = durationMs(lasting);
  if (afterMs === undefined || forMs === undefined || !isIncidentName(name)) {
    throw new InvalidArgumentError(`Give 60s:NAME:120s, NAME out of ${INCIDENT_NAMES.join(', ')}.`);
  }
  return [...before, { afterMs, name, forMs }];
}
