/* `imscope prepare`: runs the aggregator's command for tables and topics. */
import { Command } from 'commander';
import { runStackCommand } from './service-command.js';
import type { Terminal } from './command/terminal.js';

export function createPrepareCommand(terminal: Terminal, onExit: (code: number) => void): Command {
  return new Command('prepare')
    .description(
      'Create or update the store’s tables and Kafka’s topics (settings: the aggregator’s, or those of the local stack).',
    )
    .option('--dry-run', 'print what would be done, and do nothing')
    .action(async (options: { readonly dryRun?: true }) => {
      const args = ['prepare', ...(options.dryRun === true ? ['--dry-run'] : [])];
      onExit(await runStackCommand('aggregator', args, terminal));
    });
}
