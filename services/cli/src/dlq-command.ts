/* `imscope dlq ls|show|redrive`: runs the aggregator's commands for dead letters. */
import { Command } from 'commander';
import { runStackCommand } from './service-command.js';
import type { Terminal } from './command/terminal.js';

type Options = Readonly<Record<string, string | true | undefined>>;

export function createDlqCommand(terminal: Terminal, onExit: (code: number) => void): Command {
  const run = async (name: string, options: Options, places: readonly string[]): Promise<void> => {
    // After `--`, so that a place is never read as an option.
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
      'Send dead letters back to their topic and partition, unchanged. Redriven twice, they count once. Exit code 1 where one was refused.',
    )
    .argument('[places...]', 'PARTITION:OFFSET, as `ls` gives them')
    .option('--all', 'all dead letters, or those that --reason, --topic and --since choose')
    .option('--mend', 'write count, checksum and event times again where the bytes decode completely')
    .option('--dry-run', 'print what would be done, and do nothing')
    .option('--json', 'print a line of JSON for each')
    .action((places: string[], options: Options) => run('dlq-redrive', options, places));
  return new Command('dlq')
    .description(
      'List, show and redrive dead letters: messages that could not be read (settings: the aggregator’s, or those of the local stack).',
    )
    .addCommand(ls)
    .addCommand(show)
    .addCommand(redrive);
}

function withFilters(command: Command): Command {
  return command
    .option('--reason <reason>', 'those with this reason, such as bad_crc')
    .option('--topic <topic>', 'those from this topic, such as im.request-log')
    .option('--since <time>', 'those that became dead letters since: 30m, 6h, or 2026-11-24T12:00:00Z');
}

/** `dryRun: true` → `--dry-run`. A value follows after `=`, because it may begin with a dash. */
function optionArguments(options: Options): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const option = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === undefined ? [] : [value === true ? option : `${option}=${value}`];
  });
}
