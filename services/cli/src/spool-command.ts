/*
 * `imscope spool check`: the collector's own maintenance command.
 */
import { Command } from 'commander';
import type { Screen } from './progress.js';
import { runServiceCommand } from './service-command.js';

export function createSpoolCommand(stderr: Screen, onExit: (code: number) => void): Command {
  const check = new Command('check')
    .description(
      'Read a collector’s write-ahead log without touching it: what it holds, what Kafka may not have, what is damaged. Exit code 1 where something is.',
    )
    .argument('<directory>', 'the collector’s SPOOL_DIR')
    .option('--json', 'print the report as JSON')
    .action(async (directory: string, options: { readonly json?: true }) => {
      const args = ['spool-check', ...(options.json === true ? ['--json'] : []), directory];
      onExit(await runServiceCommand('collector', args, stderr));
    });
  return new Command('spool').description('Look into a collector’s write-ahead log.').addCommand(check);
}
