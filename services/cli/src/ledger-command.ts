/*
 * `imscope ledger check`: runs the aggregator's comparison of the ledger with all other records of what was stored.
 */
import { Command } from 'commander';
import { runStackCommand } from './service-command.js';
import type { Terminal } from './command/terminal.js';

type Options = { readonly from?: string; readonly json?: true; readonly settled?: true };

export function createLedgerCommand(terminal: Terminal, onExit: (code: number) => void): Command {
  const check = new Command('check')
    .description(
      'Compare offsets, rows, collectors’ accounts and metrics with the ledger, and name the differences. Exit code 1 where there are any.',
    )
    .option(
      '--from <time>',
      'beginning of the comparison: 15m, 24h, 6d or an RFC 3339 time (default: 6d, the most possible)',
    )
    .option('--json', 'print the report as JSON')
    .option('--settled', 'the pipeline is at rest: report differences at once, without a second check')
    .action(async ({ from, json, settled }: Options) => {
      const args = [
        ...(from === undefined ? [] : [`--from=${from}`]),
        ...(json === true ? ['--json'] : []),
        ...(settled === true ? ['--settled'] : []),
      ];
      onExit(await runStackCommand('aggregator', ['ledger-check', ...args], terminal));
    });
  return new Command('ledger')
    .description(
      'Check the ledger of stored blocks (settings: the aggregator’s, or those of the local stack).',
    )
    .addCommand(check);
}
