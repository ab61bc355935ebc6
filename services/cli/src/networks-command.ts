/* `imscope networks load`: runs the aggregator's command that loads address data into the store. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Terminal } from './command/terminal.js';
import { runStackCommand } from './service-command.js';

export function createNetworksCommand(terminal: Terminal, onExit: (code: number) => void): Command {
  const load = new Command('load')
    .description(
      'Load which network each address belongs to, and its provider, out of the installed @ip-location-db/asn. Does nothing where that version is loaded.',
    )
    .option('--from <folder>', 'a folder with asn-ipv4-num.csv and asn-ipv6-num.csv, instead of the package')
    .action(async ({ from }: { readonly from?: string }) => {
      const args = ['networks-load', ...(from === undefined ? [] : [`--from=${resolve(from)}`])];
      onExit(await runStackCommand('aggregator', args, terminal));
    });
  return new Command('networks')
    .description('Address data of the store (settings: the aggregator’s, or those of the local stack).')
    .addCommand(load);
}
