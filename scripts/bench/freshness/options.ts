/* The command line of `npm run bench:freshness`: names, defaults, bounds. */
import { createCommand, parseCommandLine } from '../../options/command-line.js';
import { wholeNumber } from '../../options/value-types.js';

export type FreshnessOptions = {
  readonly rounds: number;
  /** How long the complete chain is loaded to its limit in a round, milliseconds. */
  readonly limitMs: number;
  /** How long probes are sent at half of that in a round, milliseconds. */
  readonly forMs: number;
};

type Read = { rounds: number; limitSeconds: number; seconds: number; quick: boolean };

export function readFreshnessOptions(argv: readonly string[]): FreshnessOptions {
  const command = createCommand(
    'bench:freshness',
    'Measures how long after its 202 a record is in an answer of the query service, while the complete chain runs at half of the rate that it sustains. About six minutes.',
  )
    .option('--rounds <n>', 'number of rounds; figures are their medians', wholeNumber(1, 100), 7)
    .option('--limit-seconds <n>', 'seconds of a round at the limit', wholeNumber(5, 120), 12)
    .option('--seconds <n>', 'seconds of a round at half of the rate', wholeNumber(5, 600), 25)
    .option('--quick', 'about a minute: one round', false);
  const read = parseCommandLine(command, argv).opts<Read>();
  return {
    rounds: read.quick ? 1 : read.rounds,
    limitMs: read.limitSeconds * 1_000,
    forMs: read.seconds * 1_000,
  };
}
