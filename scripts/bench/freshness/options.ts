/* The command line of `npm run bench:freshness`: names, defaults, bounds. */
import { Command, InvalidArgumentError } from 'commander';

export type FreshnessOptions = {
  readonly rounds: number;
  /** How long the whole chain is loaded to its limit in a round, milliseconds. */
  readonly limitMs: number;
  /** How long probes are sent at half of that in a round, milliseconds. */
  readonly forMs: number;
};

/** On a mistake commander says which and ends the process with code 1. */
export function readOptions(argv: readonly string[]): FreshnessOptions {
  const read = new Command('bench:freshness')
    .description(
      'Measures how long after its 202 a record is in an answer of the query service, while the whole chain runs at half of the rate that it sustains. About six minutes.',
    )
    .option('--rounds <n>', 'rounds; medians are taken over them', whole(1, 100), 7)
    .option('--limit-seconds <n>', 'seconds of a round at the limit', whole(5, 120), 12)
    .option('--seconds <n>', 'seconds of a round at half of the rate', whole(5, 600), 25)
    .option('--quick', 'about a minute: one round', false)
    .parse([...argv], { from: 'user' })
    .opts<{ rounds: number; limitSeconds: number; seconds: number; quick: boolean }>();
  return {
    rounds: read.quick ? 1 : read.rounds,
    limitMs: read.limitSeconds * 1_000,
    forMs: read.seconds * 1_000,
  };
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}
