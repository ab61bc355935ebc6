/*
 * `imscope dlq ls|show|redrive`: the aggregator's own maintenance commands.
 */
import { Command } from 'commander';
import { runStackCommand } from './service-command.js';
import type { Terminal } from './terminal.js';

type Options = Readonly<Record<string, string | true | undefined>>;

export function createDlqCommand(terminal: Terminal, onExit: (code: number) => void): Command {
  const run = async (name: string, options: Options, places: readonly string[]): Promise<void> => {
    // Behind `--`, so that a place is never taken for an option.
    const args = [name, ...optionArguments(options), '--', ...places];
    onExit(await runStackCommand('aggregator', args, terminal));
  };
  const ls = withFilters(new Command('ls'))
    .description('List dead letters, oldest first, and how many there are of each reason.')
    .option('--limit <count>', 'show this many, the newest (default: 100)')
    .option('--json', 'print a line of JSON for each')
    .action((options: Options) => run('dlq-ls', options, []));
  const show = new Command('show')
    .description('Show one dead letter: headers, what is wrong with it and where, its bytes, its records.')
    .argument('<place>', 'PARTITION:OFFSET, as `ls` gives it')
    .option('--bytes <file>', 'write the original bytes to a new file that only you can read')
    .action((place: string, options: Options) => run('dlq-show', options, [place]));
  const redrive = withFilters(new Command('redrive'))
    .description(
      'Send dead letters back to where they came from, as they were. Redriven twice, they count once. Exit code 1 where one was refused.',
    )
    .argument('[places...]', 'PARTITION:OFFSET, as `ls` gives them')
    .option('--all', 'all there are, or those that --reason, --topic and --since choose')
    .option('--mend', 'write count, checksum and event times anew where the bytes decode whole')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--json', 'print a line of JSON for each')
    .action((places: string[], options: Options) => run('dlq-redrive', options, places));
  return new Command('dlq')
    .description(
      'Look after the dead letters: messages that could not be read (settings: the aggregator’s, or those of the local stack).',
    )
    .addCommand(ls)
    .addCommand(show)
    .addCommand(redrive);
}

function withFilters(command: Command): Command {
  return command
    .option('--reason <reason>', 'those that died of it, such as bad_crc')
    .option('--topic <topic>', 'those that came from it, such as im.request-log')
    .option('--since <time>', 'those that died since: 30m, 6h, or 2026-11-24T12:00:00Z');
}

/** `dryRun: true` → `--dry-run`; a value follows behind `=`, for it may begin with a dash. */
function optionArguments(options: Options): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const option = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === undefined ? [] : [value === true ? option : `${option}=${value}`];
  });
}
