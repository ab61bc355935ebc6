/*
 * `imscope top`: a table of applications, worst first, updated every two seconds. In a terminal the table stays in
 * place and q ends it; elsewhere tables follow one another. A failed request is reported and sent again.
 */
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';
import type { FleetRefusals } from '@imscope/schemas/query-api/fleet-refusals.js';
import { Command } from 'commander';
import colors from 'picocolors';
import { findToken } from './command/access-token.js';
import { clock, completenessText } from './query/completeness-text.js';
import { localUrl } from './command/local-stack.js';
import { baseUrl, lengthText, wholeNumber, windowLength, windowLengthMs } from './command/option-values.js';
import { type ApplicationsAnswer, openQuery, QueryFailure } from './query/query-client.js';
import { count } from './command/count.js';
import { EXIT } from './command/exit-codes.js';
import type { Terminal } from './command/terminal.js';
import { refusalsText } from './refusals-text.js';
import { topTable } from './top-table.js';
import { printable } from './command/http-answer.js';

type TopOptions = {
  readonly query: URL;
  readonly tokenFile?: string;
  readonly window: string;
  readonly interval: number;
  readonly once?: true;
  readonly json?: true;
};

const CLEAR = { enter: '\u001B[?1049h\u001B[?25l', leave: '\u001B[?25h\u001B[?1049l', home: '\u001B[H' };
const KEYS_THAT_QUIT: ReadonlySet<string> = new Set(['q', 'Q', '\u0003', '\u001B']);

export function createTopCommand(terminal: Terminal, onExit: (code: number) => void): Command {
  return new Command('top')
    .description('A live table of applications, worst first; q ends it.')
    .option('--query <url>', 'the query service', baseUrl, baseUrl(localUrl('queryUrl')))
    .option('--token-file <file>', 'file that holds the token')
    .option('--window <length>', 'length of the window that ends now', windowLength, '15m')
    .option('--interval <seconds>', 'time between two updates', wholeNumber(1, 3_600), 2)
    .option('--once', 'print one table and end')
    .option('--json', 'print each answer as one line of JSON')
    .addHelpText(
      'after',
      '\nA line above the table counts records that collectors refused, by reason and application.\nERRORS are service errors; caller errors and unknown outcomes are not among them, and SUCCESS is "-" where no\noutcome is known. The token comes from IMSCOPE_READ_TOKEN, from --token-file, or from the local stack.\n\nExit codes: 0; 1 no answer; 2 wrong options.\n',
    )
    .action(async (options: TopOptions) => onExit(await top(options, terminal)));
}

async function top(options: TopOptions, terminal: Terminal): Promise<number> {
  const token = findToken({
    scope: 'read',
    url: options.query,
    tokenFile: options.tokenFile,
    environment: terminal.environment,
  });
  const query = openQuery(options.query, token);
  const isLive = terminal.stdout.isTTY === true && options.once !== true && options.json !== true;
  const show = isLive ? livePrinter(terminal, options) : plainPrinter(terminal, options);
  try {
    if (isLive) enterScreen(terminal);
    return await refresh(query, options, terminal, show);
  } finally {
    if (isLive) leaveScreen(terminal);
    await query.close();
  }
}

/** The last answer, and the failure of the last request. */
type State = { readonly answer: TopAnswer | undefined; readonly failure: string | undefined };
type TopAnswer = ApplicationsAnswer & { readonly refusals?: FleetRefusals };
type Show = (state: State) => void;

async function refresh(
  query: ReturnType<typeof openQuery>,
  options: TopOptions,
  { stopping, stderr }: Terminal,
  show: Show,
): Promise<number> {
  let answer: TopAnswer | undefined;
  while (!stopping.aborted) {
    try {
      answer = await askBoth(query, options, stopping);
      show({ answer, failure: undefined });
      if (options.once === true) return EXIT.ok;
    } catch (error) {
      if (stopping.aborted) break;
      if (!(error instanceof QueryFailure)) throw error;
      if (options.once === true || error.final) {
        stderr.write(`imscope: ${printable(error.message, 1_000)}\n`);
        return EXIT.failed;
      }
      show({ answer, failure: error.message });
    }
    await waitUnlessStopping(options.interval * 1_000, stopping);
  }
  return EXIT.ok;
}

/** One after the other, because the client has one connection. */
async function askBoth(
  query: ReturnType<typeof openQuery>,
  { window }: TopOptions,
  stopping: AbortSignal,
): Promise<TopAnswer> {
  const applications = await query.applications(window, stopping);
  const refusals = await query.refusals(window, stopping);
  return refusals === undefined ? applications : { ...applications, refusals };
}

function plainPrinter({ stdout, stderr }: Terminal, options: TopOptions): Show {
  return ({ answer, failure }) => {
    if (failure !== undefined) stderr.write(`imscope: ${printable(failure, 1_000)}; asking again\n`);
    else if (answer !== undefined) {
      stdout.write(
        options.json === true
          ? `${JSON.stringify(answer)}\n`
          : `${screen(answer, options, stdout.columns ?? 80, Number.POSITIVE_INFINITY).join('\n')}\n`,
      );
    }
  };
}

function livePrinter({ stdout }: Terminal, options: TopOptions): Show {
  return ({ answer, failure }) => {
    const columns = stdout.columns ?? 80;
    const bottom =
      failure === undefined
        ? colors.dim('q quits')
        : colors.red(printable(`${failure}; asking again`, columns - 1));
    const lines = answer === undefined ? [] : screen(answer, options, columns, (stdout.rows ?? 24) - 2);
    // Each line is rewritten in place: clearing the screen first would flicker.
    stdout.write(`${CLEAR.home}${[...lines, bottom].map((line) => `${line}\u001B[K`).join('\n')}\u001B[J`);
  };
}

/** The header, a line of refusals if there are any, and the table: at most `rowsMax` lines. */
function screen(answer: TopAnswer, options: TopOptions, columns: number, rowsMax: number): string[] {
  const refused = answer.refusals === undefined ? '' : refusalsText(answer.refusals, columns - 1);
  const above = [header(answer, options), ...(refused === '' ? [] : [colors.yellow(refused)])];
  return [...above, ...tableOf(answer, columns, rowsMax - above.length)];
}

function header(answer: ApplicationsAnswer, options: TopOptions): string {
  const { data, window, completeness } = answer;
  const total = data.totals.applications;
  const applications = total === 1 ? '1 application' : `${count(total)} applications`;
  return `${colors.bold('imscope top')}  ${clock(window.to)} UTC, last ${spanText(window, options.window)}: ${applications}, ${completenessText(completeness)}`;
}

/** The time the answer covers, which is shorter than the window where logs are not kept that long. */
function spanText({ from, to }: ApplicationsAnswer['window'], asked: string): string {
  const answeredMs = Date.parse(to) - Date.parse(from);
  if (answeredMs >= windowLengthMs(asked) || !(answeredMs > 0)) return asked;
  return `${lengthText(answeredMs)} (${asked} asked for, no more is kept)`;
}

function tableOf(answer: ApplicationsAnswer, columns: number, rowsMax: number): string[] {
  const { applications, found } = answer.data;
  const leftOut = found - applications.length;
  if (applications.length > 0) return topTable(applications, { columns, rowsMax, leftOut });
  return ['no requests in this window: send some with imscope send, or give a longer --window 24h'];
}

function enterScreen({ stdin, stdout, stop }: Terminal): void {
  stdout.write(CLEAR.enter);
  if (stdin.isTTY !== true) return;
  stdin.setRawMode?.(true);
  stdin.setEncoding('utf8');
  stdin.on('data', (key: unknown) => {
    if (KEYS_THAT_QUIT.has(String(key))) stop();
  });
}

function leaveScreen({ stdin, stdout }: Terminal): void {
  stdout.write(CLEAR.leave);
  if (stdin.isTTY !== true) return;
  stdin.setRawMode?.(false);
  stdin.pause();
}
