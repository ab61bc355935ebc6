/* The command line of `npm run bench:collector`: names, defaults, bounds. */
import { Command, InvalidArgumentError } from 'commander';
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

/** On a mistake commander says which and ends the process with code 1. */
export function readOptions(argv: readonly string[]): BenchOptions {
  const read = new Command('bench:collector')
    .description(
      'Measures the collector as built against a real broker, beside JSON.parse of the same bodies; Avro and OTLP beside our JSON. About five minutes.',
    )
    .option(
      '--for <duration>',
      'how long one measurement of one round takes, such as 1000ms or 10s',
      duration,
    )
    .option('--rounds <n>', 'rounds; medians are taken over them', rounds, 5)
    .option('--quick', 'under two minutes: one process, 1 and 500 records a request', false)
    .option(
      '--only <words...>',
      `only what has one of these in its name: json.500, avro, otlp, 2-process, ${LATENCY}, ${KAFKA_AWAY}, ${TAIL}`,
    )
    .parse([...argv], { from: 'user' })
    .opts<{ for?: number; rounds: number; quick: boolean; only?: string[] }>();
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

function rounds(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 100) {
    throw new InvalidArgumentError('Give a whole number from 1 to 100.');
  }
  return value;
}

function duration(text: string): number {
  const [, amount, unit] = /^(\d{1,5})(ms|s)$/.exec(text) ?? [];
  const ms = Number(amount) * (unit === 's' ? 1_000 : 1);
  if (!(ms >= 100 && ms <= 60_000)) {
    throw new InvalidArgumentError('Give a duration from 100ms to 60s.');
  }
  return ms;
}
