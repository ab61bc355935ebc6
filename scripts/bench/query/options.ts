/* The command line of `npm run bench:query`: names, defaults, bounds. */
import { createCommand, parseCommandLine } from '../../options/command-line.js';
import { listOf, wholeNumber } from '../../options/value-types.js';

export type QueryBenchOptions = {
  /** Request logs of 7 days, of each store; goals are about the last, growth is against the first. */
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Holds one store for each size, and is kept; undefined: a temporary one. */
  readonly data: string | undefined;
  /** Also measures while blocks are inserted. */
  readonly ingest: boolean;
  /** Cases whose name matches; undefined: all. */
  readonly only: RegExp | undefined;
};

const SIZES = [10_000_000, 100_000_000];
const QUICK_SIZES = [1_000_000, 10_000_000];
const ROUNDS = 20;
const QUICK_ROUNDS = 5;

type Read = {
  quick: boolean;
  sizes?: number[];
  rounds?: number;
  data?: string;
  ingest: boolean;
  only?: string;
};

export function readQueryBenchOptions(argv: readonly string[]): QueryBenchOptions {
  const command = createCommand(
    'bench:query',
    'Asks the query service every question over stores of two sizes, and compares times, rows and bytes with the goals. ' +
      'About eleven minutes; three where --data holds the loads of an earlier run.',
  )
    .option('--quick', '1 and 10 million logs, 5 rounds: about two minutes', false)
    .option('--sizes <n...>', 'request logs of 7 days', listOf(wholeNumber(10_000, 1_000_000_000)))
    .option('--rounds <n>', 'times each question is asked', wholeNumber(2, 1_000))
    .option('--data <directory>', 'keeps the stores there; a later run loads only what happened since')
    .option('--no-ingest', 'does not ask again while blocks are inserted')
    .option('--only <pattern>', 'questions whose name matches, such as "fleet|overview.*biggest"');
  const read = parseCommandLine(command, argv).opts<Read>();
  return {
    sizes: read.sizes ?? (read.quick ? QUICK_SIZES : SIZES),
    rounds: read.rounds ?? (read.quick ? QUICK_ROUNDS : ROUNDS),
    data: read.data,
    ingest: read.ingest,
    only: read.only === undefined ? undefined : new RegExp(read.only),
  };
}
