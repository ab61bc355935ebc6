/* The command line of `npm run bench:collector`: names, defaults, bounds. */
import { createCommand, parseCommandLine } from '../../options/command-line.js';
import { duration, wholeNumber } from '../../options/value-types.js';
import { type Case, allCases } from './cases.js';

export type BenchOptions = {
  /** One measurement of one round, milliseconds. */
  readonly forMs: number;
  readonly rounds: number;
  readonly cases: readonly Case[];
  readonly latency: boolean;
  readonly kafkaAway: boolean;
  readonly tail: boolean;
};

const LATENCY = 'latency-at-70-percent';
const KAFKA_AWAY = 'kafka-away';
const TAIL = 'tail.nginx';

type Read = { for?: number; rounds: number; quick: boolean; only?: string[] };

export function readBenchOptions(argv: readonly string[]): BenchOptions {
  const command = createCommand(
    'bench:collector',
    'Measures the collector as built against a real broker, beside JSON.parse of the same bodies; Avro and OTLP beside our JSON. About five minutes.',
  )
    .option(
      '--for <duration>',
      'duration of one measurement of one round, such as 1000ms or 10s',
      duration(100, 60_000),
    )
    .option('--rounds <n>', 'number of rounds; figures are their medians', wholeNumber(1, 100), 5)
    .option('--quick', 'under two minutes: one process, 1 and 500 records a request', false)
    .option(
      '--only <words...>',
      `only what has one of these in its name: json.500, avro, otlp, 2-process, ${LATENCY}, ${KAFKA_AWAY}, ${TAIL}`,
    );
  const read = parseCommandLine(command, argv).opts<Read>();
  const chosen = (name: string): boolean => read.only?.some((word) => name.includes(word)) ?? true;
  return {
    forMs: read.for ?? (read.quick ? 400 : 1_000),
    rounds: read.rounds,
    cases: allCases(read.quick).filter(({ name }) => chosen(name)),
    latency: chosen(LATENCY),
    kafkaAway: chosen(KAFKA_AWAY),
    tail: chosen(TAIL),
  };
}
