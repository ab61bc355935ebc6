/*
 * `imscope ledger check`: the aggregator's own maintenance command.
 */
import { Command } from 'commander';
import { runStackCommand } from './service-command.js';
import type { Terminal } from './terminal.js';

type Options = { readonly from?: string; readonly json?: true; readonly settled?: true };

export function createLedgerCommand(terminal: Terminal, onExit: (code: number) => void): Command {
  const check = new Command('check')
    .description(
      'Hold offsets, rows, collectors’ accounts and metrics against the ledger, and name where they differ. Exit code 1 where they do.',
    )
    .option('--from <time>', 'since when: 15m, 24h, 6d or an RFC 3339 time (default: 6d, the most there is)')
    .option('--json', 'print the report as JSON')
    .option('--settled', 'nothing is on its way any more: what was sent and is not stored is a difference')
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
      'Ask the ledger of what was stored (settings: the aggregator’s, or those of the local stack).',
    )
    .addCommand(check);
}
