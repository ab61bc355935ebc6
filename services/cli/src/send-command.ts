/* `imscope send`: creates a reader of lines and a client from options, sends the file, prints the summary. */
import { Command, Option } from 'commander';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { findToken } from './command/access-token.js';
import type { AccessLogOptions } from '@imscope/access-log/access-log-options.js';
import { COMBINED, createAccessLogReader, DEFAULT_FORMATS } from '@imscope/access-log/access-log-record.js';
import { openCollector } from './collector-client.js';
import { ESCAPES, type Escape } from '@imscope/access-log/value-shapes.js';
import { formatOfText } from '@imscope/access-log/log-format-directives.js';
import { logFormatOfFile } from '@imscope/access-log/log-format-file.js';
import { readNdjsonRecord } from '@imscope/access-log/ndjson-record.js';
import { localUrl } from './command/local-stack.js';
import { STDIN } from './open-input.js';
import { baseUrl, label, variableName, wholeNumber } from './command/option-values.js';
import { Progress } from './progress.js';
import type { ReadRecord } from '@imscope/access-log/line-record.js';
import { measureShift, sendFile } from './send-file.js';
import { describeSummary, type SendSummary, summarize } from './send-summary.js';
import type { Terminal } from './command/terminal.js';
import { UsageError } from './command/usage-error.js';

type SendCommandOptions = {
  readonly format: 'ndjson' | 'nginx';
  readonly collector: URL;
  readonly dashboard: URL;
  readonly tokenFile?: string;
  readonly logFormat?: string;
  readonly escape?: Escape;
  readonly logFormatFile?: string;
  readonly logFormatName?: string;
  readonly application?: number;
  readonly codeVariable?: string;
  readonly node?: string;
  readonly region?: string;
  readonly shiftToNow?: true;
  readonly batch: number;
  readonly inFlight: number;
  readonly retryFor: number;
  readonly json?: true;
};

const BACKOFF_MS_MIN = 250;

const HELP = `
Without a log format, an access log is read as nginx's "combined" followed by the duration:
  ${COMBINED} $request_time
and by $upstream_response_time where a line has it.

The token comes from IMSCOPE_WRITE_TOKEN, from --token-file, or, for a collector on this machine, from the
stack that ./scripts/start made here.

Exit codes: 0 every line was accepted; 1 some could not be sent or may not have arrived; 2 wrong options or
no such file; 3 everything was sent, and some lines were rejected.

Examples:
  imscope send requests.ndjson --format ndjson
  imscope send access.log.2.gz --format nginx --log-format-file /etc/nginx/nginx.conf --log-format-name im
  zcat old/*.gz | imscope send - --format nginx --log-format '$remote_addr [$time_local] "$request" $status $request_time'
  imscope send access.log --format nginx --application 1400000001 --shift-to-now
`;

/** @param onExit called with the exit code */
export function createSendCommand(terminal: Terminal, onExit: (code: number) => void): Command {
  return new Command('send')
    .description('Send a file of request logs to the collector: NDJSON, or the access log of a gateway.')
    .argument('<file>', 'the file, gzipped or not; - is stdin')
    .addOption(
      new Option('--format <format>', 'what the file holds')
        .choices(['ndjson', 'nginx'])
        .makeOptionMandatory(),
    )
    .option('--collector <url>', 'the collector', baseUrl, baseUrl(localUrl('collectorUrl')))
    .option(
      '--dashboard <url>',
      'the dashboard, for links in the summary',
      baseUrl,
      baseUrl(localUrl('queryUrl')),
    )
    .option('--token-file <file>', 'file that holds the token')
    .option('--log-format <text>', "nginx: the log_format's text, or the complete directive")
    .addOption(new Option('--escape <how>', 'nginx: its escape parameter').choices([...ESCAPES]))
    .option('--log-format-file <file>', 'nginx: the configuration that holds the log_format')
    .option(
      '--log-format-name <name>',
      'nginx: the name of the log_format, needed where the file has several',
    )
    .option(
      '--application <id>',
      'nginx: the application of all requests; every path is then an interface',
      wholeNumber(1, REQUEST_LOG_BOUNDS.sdkAppIdMax),
    )
    .option('--code-variable <name>', 'nginx: the variable that holds the IM code', variableName)
    .option('--node <name>', 'nginx: the gateway node (default: $hostname, where logged)', label)
    .option('--region <name>', 'nginx: the region of the gateway', label)
    .option('--shift-to-now', 'move the newest time to now and keep all distances; reads the file twice')
    .option('--batch <records>', 'records per request', wholeNumber(1, 5_000), 1_000)
    .option('--in-flight <requests>', 'concurrent requests', wholeNumber(1, 16), 4)
    .option(
      '--retry-for <seconds>',
      'how long a request is retried while the collector does not answer',
      wholeNumber(0, 3_000),
      60,
    )
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', HELP)
    .action(async (file: string, options: SendCommandOptions) => {
      const summary = await send(file, options, terminal);
      terminal.stdout.write(
        `${options.json === true ? JSON.stringify(summary, null, 2) : describeSummary(summary)}\n`,
      );
      onExit(summary.exit_code);
    });
}

async function send(file: string, options: SendCommandOptions, terminal: Terminal): Promise<SendSummary> {
  const startMs = Date.now();
  const progress = new Progress(terminal.stderr, startMs);
  const readRecord = createReader(options, (text) => progress.note(text));
  const token = findToken({
    scope: 'write',
    url: options.collector,
    tokenFile: options.tokenFile,
    environment: terminal.environment,
  });
  const shift = options.shiftToNow === true ? await findShift(file, readRecord, terminal) : undefined;
  let retries = 0;
  const collector = openCollector({
    url: options.collector,
    token,
    connectionsMax: options.inFlight,
    retryForMs: options.retryFor * 1_000,
    backoffMsMin: BACKOFF_MS_MIN,
    onRetry: (why) => {
      if (retries === 0) progress.note(`${why}; trying for ${options.retryFor} s`);
      retries += 1;
    },
  });
  try {
    const result = await sendFile({
      file,
      stdin: terminal.stdin,
      readRecord,
      deliver: collector.deliver,
      batchRecords: options.batch,
      inFlightMax: options.inFlight,
      shiftMs: shift?.ms ?? 0,
      stopping: terminal.stopping,
      onProgress: (tally, input) => progress.show(tally, input, Date.now()),
    });
    result.tally.retries = retries;
    return summarize(result, {
      file,
      elapsedMs: Date.now() - startMs,
      shift: shift ?? null,
      dashboard: options.dashboard,
    });
  } finally {
    progress.clear();
    await collector.close();
  }
}

async function findShift(
  file: string,
  readRecord: ReadRecord,
  { stdin }: Terminal,
): Promise<NonNullable<SendSummary['shift']> | undefined> {
  if (file === STDIN) {
    throw new UsageError(
      '--shift-to-now reads the file twice, so stdin is not possible: write it to a file first',
    );
  }
  const found = await measureShift({ file, stdin, readRecord }, Date.now());
  if (found === undefined) return undefined;
  return { ms: found.shiftMs, newest: new Date(found.newestMs).toISOString(), newest_line: found.newestLine };
}

function createReader(options: SendCommandOptions, warn: (text: string) => void): ReadRecord {
  if (options.format === 'ndjson') {
    refuseNginxOptions(options);
    return readNdjsonRecord;
  }
  const { readRecord, hasDuration, unknown } = createAccessLogReader({
    formats: findFormats(options),
    sdkAppId: options.application,
    codeVariable: options.codeVariable,
    node: options.node,
    region: options.region,
  });
  if (!hasDuration) {
    warn('the log format has no $request_time, so every line will be rejected: add it to the log_format');
  }
  for (const text of unknown) warn(text);
  return readRecord;
}

function findFormats(options: SendCommandOptions): AccessLogOptions['formats'] {
  const { logFormat, logFormatFile, logFormatName, escape } = options;
  if (logFormat !== undefined && logFormatFile !== undefined) {
    throw new UsageError('give either --log-format or --log-format-file, not both');
  }
  if (logFormatFile !== undefined) {
    const chosen = logFormatOfFile(logFormatFile, logFormatName);
    return [{ text: chosen.text, escape: escape ?? chosen.escape }];
  }
  if (logFormatName !== undefined) throw new UsageError('--log-format-name needs --log-format-file');
  if (logFormat === undefined) {
    return options.codeVariable === undefined ? DEFAULT_FORMATS : defaultWithCode(options.codeVariable);
  }
  const given = formatOfText(logFormat);
  return [{ text: given.text, escape: escape ?? given.escape }];
}

function defaultWithCode(codeVariable: string): never {
  throw new UsageError(
    `the default log format has no $${codeVariable}: give the format of the log with --log-format or --log-format-file`,
  );
}

function refuseNginxOptions(options: SendCommandOptions): void {
  const given = (
    [
      'logFormat',
      'escape',
      'logFormatFile',
      'logFormatName',
      'application',
      'codeVariable',
      'node',
      'region',
    ] as const
  ).filter((name) => options[name] !== undefined);
  if (given.length === 0) return;
  const names = given.map((name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  throw new UsageError(`${names.join(', ')} describe an access log: give them with --format nginx only`);
}
