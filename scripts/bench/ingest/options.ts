/* The command line of `npm run bench:ingest`: names, defaults, bounds, and the sizes that follow from them. */
import { createCommand, parseCommandLine } from '../../options/command-line.js';
import { listOf, wholeNumber } from '../../options/value-types.js';

export type IngestOptions = {
  readonly rounds: number;
  /** Request logs of one measurement of ours, of the engine's own reading and of inserts from files. */
  readonly records: number;
  /** The same for smaller messages. */
  readonly recordsSmall: number;
  readonly jsonRecords: number;
  readonly decodeRecords: number;
  readonly backlogRecords: number;
  /** Records a message; the first is what goals are about. */
  readonly sizes: readonly number[];
  readonly peers: boolean;
};

const SIZES = [500, 50, 20, 10];
/** Five blocks of 200,000 rows in each of 4 partitions. */
const FULL = {
  rounds: 7,
  records: 4_000_000,
  recordsSmall: 800_000,
  jsonRecords: 1_000_000,
  decodeRecords: 400_000,
  backlogRecords: 10_000_000,
};
const QUICK = {
  rounds: 3,
  records: 1_600_000,
  recordsSmall: 400_000,
  jsonRecords: 200_000,
  decodeRecords: 100_000,
  backlogRecords: 1_600_000,
};

type Read = {
  quick: boolean;
  rounds?: number;
  records?: number;
  backlog?: number;
  sizes?: number[];
  peers: boolean;
};

export function readIngestOptions(argv: readonly string[]): IngestOptions {
  const command = createCommand(
    'bench:ingest',
    'Measures Kafka → aggregator → store, as built, beside what else could do it, round by round. About eight minutes.',
  )
    .option('--quick', 'about a minute: 3 rounds, fewer records, 500 and 10 records a message', false)
    .option('--rounds <n>', 'number of rounds; figures are their medians', wholeNumber(1, 100))
    .option(
      '--records <n>',
      'request logs of one measurement, a multiple of 800000',
      wholeNumber(800_000, 20_000_000),
    )
    .option(
      '--backlog <n>',
      'request logs that wait when memory is watched',
      wholeNumber(800_000, 100_000_000),
    )
    .option('--sizes <n...>', 'records a message', listOf(wholeNumber(1, 5_000)))
    .option('--no-peers', 'ours and inserts from files only');
  const read = parseCommandLine(command, argv).opts<Read>();
  const usual = read.quick ? QUICK : FULL;
  return {
    ...usual,
    rounds: read.rounds ?? usual.rounds,
    records: read.records ?? usual.records,
    backlogRecords: read.backlog ?? usual.backlogRecords,
    sizes: read.sizes ?? (read.quick ? [500, 10] : SIZES),
    peers: read.peers,
  };
}
