/* The command line of `npm run bench:grouping`. */
import { createCommand, parseCommandLine } from '../../options/command-line.js';

export type GroupingBenchOptions = {
  /** Empty: the own messages alone. */
  readonly data: string;
};

export function readGroupingOptions(argv: readonly string[]): GroupingBenchOptions {
  const command = createCommand(
    'bench:grouping',
    'Measures how well causes are grouped, compared with labels: sets of LogHub where a folder is given, and 203 messages of our own kind. A few seconds.',
  ).option(
    '--data <directory>',
    'folder of *.csv or *.csv.gz with the columns Content and EventId; not given: the own messages alone',
    '',
  );
  return parseCommandLine(command, argv).opts<GroupingBenchOptions>();
}
