/* `imscope spool check`: runs the collector's check of its write-ahead log. */
import { Command } from 'commander';
import { serviceEnvironment } from './command/local-stack.js';
import { runServiceCommand } from './service-command.js';
import type { Terminal } from './command/terminal.js';
import { UsageError } from './command/usage-error.js';

export function createSpoolCommand(terminal: Terminal, onExit: (code: number) => void): Command {
  const check = new Command('check')
    .description(
      'Read a collector’s write-ahead log without changing it: its content, batches Kafka may not have, damage. Exit code 1 where there is damage.',
    )
    .argument('[directory]', 'the collector’s SPOOL_DIR (default: of the environment, or of the local stack)')
    .option('--json', 'print the report as JSON')
    .action(async (given: string | undefined, options: { readonly json?: true }) => {
      const { environment } = serviceEnvironment('collector', terminal.environment);
      const directory = given ?? environment['SPOOL_DIR'] ?? '';
      if (directory === '') {
        throw new UsageError(
          'name the directory of a spool, or set SPOOL_DIR; ./scripts/start makes one here',
        );
      }
      const args = ['spool-check', ...(options.json === true ? ['--json'] : []), '--', directory];
      onExit(await runServiceCommand('collector', args, environment, terminal.stderr));
    });
  return new Command('spool').description('Check a collector’s write-ahead log.').addCommand(check);
}
