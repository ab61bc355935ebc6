/*
 * `imscope prepare`: the aggregator's own maintenance command.
 */
import { Command } from 'commander';
import type { Screen } from './progress.js';
import { runServiceCommand } from './service-command.js';

export function createPrepareCommand(stderr: Screen, onExit: (code: number) => void): Command {
  return new Command('prepare')
    .description(
      'Create or bring up to date the store’s tables and Kafka’s topics (settings: the aggregator’s).',
    )
    .option('--dry-run', 'say what would be done, and do nothing')
    .action(async (options: { readonly dryRun?: true }) => {
      const args = ['prepare', ...(options.dryRun === true ? ['--dry-run'] : [])];
      onExit(await runServiceCommand('aggregator', args, stderr));
    });
}
