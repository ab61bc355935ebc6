/* `imscope tap`: shows what a collector receives, until Ctrl-C, for a time, or for a number of records. */
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { Command } from 'commander';
import { findToken } from './command/access-token.js';
import { printable } from './command/http-answer.js';
import { localUrl } from './command/local-stack.js';
import { baseUrl, shortLength, wholeNumber } from './command/option-values.js';
import { EXIT } from './command/exit-codes.js';
import { openTap, TapFailure } from './tap-client.js';
import { tapHeader, tapText } from './tap-line.js';
import type { Terminal } from './command/terminal.js';

type TapOptions = {
  readonly collector: URL;
  readonly tokenFile?: string;
  readonly application?: number;
  readonly interface?: string;
  readonly outcome?: string;
  /** Milliseconds. */
  readonly for?: number;
  readonly count?: number;
  readonly json?: true;
};

export function createTapCommand(terminal: Terminal, onExit: (code: number) => void): Command {
  return new Command('tap')
    .description('Show what a collector receives, live: records as they will be stored, and refused ones.')
    .option('--collector <url>', 'the collector', baseUrl, baseUrl(localUrl('collectorUrl')))
    .option('--token-file <file>', 'file that holds the token')
    .option(
      '--application <id>',
      'only records of this application',
      wholeNumber(1, REQUEST_LOG_BOUNDS.sdkAppIdMax),
    )
    .option('--interface <prefix>', 'only interfaces with this prefix, such as openim/')
    .option(
      '--outcome <outcomes>',
      'only these, separated by commas: success, caller_error, service_error, unknown, rejected',
    )
    .option('--for <length>', 'end after this time, such as 10s or 5m', shortLength)
    .option('--count <records>', 'end after this many records', wholeNumber(1, 1_000_000))
    .option('--json', 'print lines as received')
    .addHelpText(
      'after',
      '\nAddresses are masked, texts scrubbed. The token needs scope requests, and shows its own applications; it comes from\nIMSCOPE_READ_TOKEN, from --token-file, or from the local stack.\n\nExit codes: 0; 1 the tap was refused or ended early; 2 wrong options.\n',
    )
    .action(async (options: TapOptions) => onExit(await tap(options, terminal)));
}

async function tap(
  options: TapOptions,
  { stdout, stderr, environment, stopping }: Terminal,
): Promise<number> {
  const { collector: url, tokenFile, for: forMs } = options;
  const token = findToken({ scope: 'read', url, tokenFile, environment });
  const ends = forMs === undefined ? stopping : AbortSignal.any([stopping, AbortSignal.timeout(forMs)]);
  const columns = stdout.isTTY === true ? (stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
  let left = options.count ?? Number.POSITIVE_INFINITY;
  try {
    if (options.json !== true) stdout.write(`${tapHeader(columns)}\n`);
    for await (const { line, text } of openTap({ url, token, query: queryOf(options), stopping: ends })) {
      stdout.write(`${options.json === true ? text : tapText(line, columns)}\n`);
      if (line.type === 'record' || line.type === 'rejected') left -= 1;
      if (left <= 0) break;
    }
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof TapFailure)) throw error;
    stderr.write(`imscope: ${printable(error.message, 1_000)}\n`);
    return EXIT.failed;
  }
}

function queryOf({ application, interface: prefix, outcome }: TapOptions): URLSearchParams {
  const query = new URLSearchParams();
  if (application !== undefined) query.set('application', String(application));
  if (prefix !== undefined) query.set('interface', prefix);
  if (outcome !== undefined) query.set('outcome', outcome);
  return query;
}
