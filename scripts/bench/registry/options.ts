/* The command line of `npm run bench:registry`: names, defaults, bounds. */
import { createCommand, parseCommandLine } from '../../options/command-line.js';
import { wholeNumber } from '../../options/value-types.js';

export type RegistryBenchOptions = {
  readonly applications: number;
  readonly changes: number;
  readonly starts: number;
};

type Read = { applications: number; changes: number; starts: number; quick: boolean };

export function readRegistryOptions(argv: readonly string[]): RegistryBenchOptions {
  const command = createCommand(
    'bench:registry',
    'Measures how fast collectors start with the applications of a registry, how soon a change is in force everywhere, look-ups, and memory. About three minutes.',
  )
    .option('--applications <n>', 'applications that are distributed', wholeNumber(100, 1_000_000), 100_000)
    .option('--changes <n>', 'changes that are timed', wholeNumber(10, 10_000), 300)
    .option(
      '--starts <n>',
      'starts of a collector from each source; figures are their medians',
      wholeNumber(1, 100),
      5,
    )
    .option('--quick', 'about a minute: fewer changes, one start', false);
  const { quick, ...read } = parseCommandLine(command, argv).opts<Read>();
  return quick ? { ...read, changes: 50, starts: 1 } : read;
}
