/*
 * `imscope collector list`: the collectors, by the query service. `imscope collector retire`: runs the aggregator's
 * command that books that one is gone for ever.
 */
import { Command } from 'commander';
import { findToken } from './command/access-token.js';
import { EXIT } from './command/exit-codes.js';
import { printable } from './command/http-answer.js';
import { localUrl } from './command/local-stack.js';
import { baseUrl, windowLength } from './command/option-values.js';
import type { Terminal } from './command/terminal.js';
import { collectorsTable } from './collectors-table.js';
import { openQuery, QueryFailure } from './query/query-client.js';
import { runStackCommand } from './service-command.js';

type ListOptions = {
  readonly query: URL;
  readonly tokenFile?: string;
  readonly window: string;
  readonly json?: true;
};

type RetireOptions = {
  readonly reason: string;
  readonly stopped?: string;
  readonly by?: string;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly json?: true;
};

export function createCollectorCommand(terminal: Terminal, onExit: (code: number) => void): Command {
  const list = new Command('list')
    .description('List collectors: silent and unknown ones first, then live, retired and ended ones.')
    .option('--query <url>', 'the query service', baseUrl, baseUrl(localUrl('queryUrl')))
    .option('--token-file <file>', 'file that holds the token; it must cover all applications')
    .option('--window <length>', 'those heard in the window that ends now', windowLength, '7d')
    .option('--json', 'print the answer as JSON')
    .action(async (options: ListOptions) => onExit(await listCollectors(options, terminal)));
  const retire = new Command('retire')
    .description(
      'Book that a collector is gone for ever with its disk: states the greatest possible loss, and asks.',
    )
    .argument('<name>', 'name of the collector, or the boot of one incarnation')
    .requiredOption('--reason <text>', 'why, for those who read it later')
    .option('--stopped <time>', 'when it stopped, if that is known: 2026-11-24T12:00:00Z; lowers the bound')
    .option('--by <name>', 'who decided it (default: your user name)')
    .option('--dry-run', 'state the loss only')
    .option('--yes', 'do not ask')
    .option('--json', 'print what was booked as JSON')
    .addHelpText(
      'after',
      '\nOnly a collector that is silent for two minutes can be retired. If it writes an account after all, the retirement\nis taken back, its records count once, and "imscope ledger check" reports it for an hour.\n',
    )
    .action(async (name: string, options: RetireOptions) => {
      onExit(await runStackCommand('aggregator', retireArguments(name, options), terminal));
    });
  return new Command('collector')
    .description(
      'List collectors, and retire one that is gone for ever (settings of retire: the aggregator’s, or those of the local stack).',
    )
    .addCommand(list)
    .addCommand(retire);
}

async function listCollectors(options: ListOptions, terminal: Terminal): Promise<number> {
  const { stdout, stderr, environment, stopping } = terminal;
  const { query: url, tokenFile } = options;
  const query = openQuery(url, findToken({ scope: 'read', url, tokenFile, environment }));
  try {
    const answer = await query.collectors(options.window, stopping);
    const text =
      options.json === true
        ? JSON.stringify(answer, undefined, 2)
        : collectorsTable(answer.data, answer.left_out ?? 0, Date.parse(answer.window.to)).join('\n');
    stdout.write(`${text}\n`);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof QueryFailure)) throw error;
    stderr.write(`imscope: ${printable(error.message, 1_000)}\n`);
    return EXIT.failed;
  } finally {
    await query.close();
  }
}

/** Values follow after `=` and the name after `--`, because they may begin with a dash. */
function retireArguments(name: string, options: RetireOptions): string[] {
  const { reason, stopped, by, yes, dryRun, json } = options;
  return [
    'collector-retire',
    `--reason=${reason}`,
    ...(stopped === undefined ? [] : [`--stopped=${stopped}`]),
    ...(by === undefined ? [] : [`--by=${by}`]),
    ...(yes === true ? ['--yes'] : []),
    ...(dryRun === true ? ['--dry-run'] : []),
    ...(json === true ? ['--json'] : []),
    '--',
    name,
  ];
}
