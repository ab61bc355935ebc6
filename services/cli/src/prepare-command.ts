/*
 * `imscope prepare`: the aggregator's own maintenance command, run as a child with our settings, streams and
 * signals; its exit code is ours.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import type { Screen } from './progress.js';
import { UsageError } from './usage-error.js';

const AGGREGATOR = fileURLToPath(new URL('../../aggregator/dist/main.js', import.meta.url));

export function createPrepareCommand(stderr: Screen, onExit: (code: number) => void): Command {
  return new Command('prepare')
    .description(
      'Create or bring up to date the store’s tables and Kafka’s topics (settings: the aggregator’s).',
    )
    .option('--dry-run', 'say what would be done, and do nothing')
    .action(async (options: { readonly dryRun?: true }) => {
      if (!existsSync(AGGREGATOR)) {
        throw new UsageError('the aggregator is not built yet: run "npm run build" in the repository first');
      }
      const child = spawn(
        process.execPath,
        [AGGREGATOR, 'prepare', ...(options.dryRun === true ? ['--dry-run'] : [])],
        { stdio: 'inherit' },
      );
      // Ctrl-C reaches the child by itself, for it is in our process group.
      const [code, signal]: unknown[] = await once(child, 'exit');
      if (typeof code !== 'number') stderr.write(`prepare was ended by ${String(signal)}\n`);
      onExit(typeof code === 'number' ? code : 1);
    });
}
