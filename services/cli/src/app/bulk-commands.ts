/* `imscope app` commands about many applications: import and exports. */
import { createReadStream, statSync } from 'node:fs';
import { type Readable, Transform } from 'node:stream';
import { errorMessage } from '@imscope/runtime/error-message.js';
import { Command, Option } from 'commander';
import { printable } from '../command/http-answer.js';
import { count } from '../command/count.js';
import { type Screen } from '../command/terminal.js';
import { EXIT } from '../command/exit-codes.js';
import { UsageError } from '../command/usage-error.js';
import {
  addCommonOptions,
  addReason,
  type AppContext,
  type AppOptions,
  print,
  sdkAppId,
  withRegistry,
} from './app-context.js';
import { minute, tableText } from './application-text.js';

const FAILED_SHOWN_MAX = 20;
const PROGRESS_INTERVAL_MS = 500;
const CONTENT_TYPES = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;

type ImportOptions = AppOptions & { readonly format?: keyof typeof CONTENT_TYPES; readonly dryRun?: true };

export function importCommand(context: AppContext): Command {
  return addCommonOptions(new Command('import'))
    .description('Create applications from a file; a bad row is named, the others are created.')
    .argument('<file>', 'CSV or NDJSON; - reads stdin')
    .addOption(
      new Option('--format <format>', 'by the file’s name where left out').choices(['csv', 'ndjson']),
    )
    .option('--dry-run', 'check every row, create nothing')
    .addHelpText(
      'after',
      '\nExit codes: 0 every row was taken; 3 some were refused; 1 no answer; 2 wrong options.\n',
    )
    .action((file: string, options: ImportOptions) =>
      withRegistry(context, options, async (client) => {
        const contentType = CONTENT_TYPES[options.format ?? formatOf(file)];
        const dryRun = options.dryRun === true;
        const body = withProgress(openFile(context, file), context.terminal.stderr);
        const answer = await client.importFile(body, contentType, dryRun);
        const { created, failed, failed_left_out: leftOut } = answer;
        const refused = failed.length + leftOut;
        print(context, options, answer, () => {
          const done = `${count(created)} ${dryRun ? 'would be created' : 'created'}, ${count(refused)} refused`;
          const lines = failed
            .slice(0, FAILED_SHOWN_MAX)
            .map(({ line, code, message }) => `line ${line}: ${code}: ${printable(message, 500)}`);
          const more = refused - lines.length;
          return [
            done,
            ...lines,
            ...(more > 0 ? [`and ${count(more)} more; --json gives those listed`] : []),
          ].join('\n');
        });
        return refused > 0 ? EXIT.rejected : EXIT.ok;
      }),
    );
}

type ExportOptions = AppOptions & {
  readonly reason: string;
  readonly application?: number;
  readonly from?: string;
  readonly to?: string;
};

export function exportCommand(context: AppContext): Command {
  return addReason(addCommonOptions(new Command('export')))
    .description('Export all applications, or the request logs of one, as an object with a signed link.')
    .option('--application <SDKAppID>', 'the request logs of this one', sdkAppId)
    .option('--from <time>', 'RFC 3339; of request logs')
    .option('--to <time>', 'RFC 3339; of request logs')
    .action((options: ExportOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const { application, from, to, reason } = options;
        const isLogs = application !== undefined;
        if (isLogs !== (from !== undefined) || isLogs !== (to !== undefined)) {
          throw new UsageError('request logs need --application, --from and --to; applications none of them');
        }
        const body = {
          kind: isLogs ? ('request_logs' as const) : ('applications' as const),
          reason,
          ...(application === undefined ? {} : { sdk_app_id: application }),
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
        };
        const answer = await call('createExport', { body }, context.terminal.stopping);
        context.terminal.stderr.write(
          `${count(answer.rows)} rows; the link works for minutes, and whoever has it can read them; the object is deleted at ${answer.ends_at}\n`,
        );
        print(context, options, answer, () => answer.url ?? '');
      }),
    );
}

export function exportsCommand(context: AppContext): Command {
  return addCommonOptions(new Command('exports'))
    .description('Exports that have not ended; --json gives fresh links.')
    .action((options: AppOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const answer = await call('listExports', {}, context.terminal.stopping);
        print(context, options, answer, () =>
          tableText(
            ['ID', 'KIND', 'APPLICATION', 'CREATED', 'BY', 'ROWS', 'ENDS'],
            answer.exports.map((one) => [
              printable(one.id, 40),
              printable(one.kind, 20),
              String(one.sdk_app_id ?? ''),
              minute(one.created_at),
              printable(one.author, 32),
              count(one.rows),
              minute(one.ends_at),
            ]),
          ),
        );
      }),
    );
}

function formatOf(file: string): keyof typeof CONTENT_TYPES {
  if (/\.csv$/i.test(file)) return 'csv';
  if (/\.(ndjson|jsonl)$/i.test(file)) return 'ndjson';
  throw new UsageError(`the name ${file} does not say what it holds: give --format csv or --format ndjson`);
}

type Source = { readonly stream: Readable; readonly bytesTotal: number | undefined };

function openFile({ terminal }: AppContext, file: string): Source {
  if (file === '-') return { stream: terminal.stdin, bytesTotal: undefined };
  try {
    const { size } = statSync(file);
    return { stream: createReadStream(file), bytesTotal: size };
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${errorMessage(error)}`, { cause: error });
  }
}

/** The registry reads rows as they come, so what is sent is about what is done. Shown in a terminal only. */
function withProgress({ stream, bytesTotal }: Source, screen: Screen): Readable {
  let bytes = 0;
  let shownMs = 0;
  const clear = (): void => void (screen.isTTY === true && screen.write('\r\u001B[K'));
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      const nowMs = performance.now();
      if (screen.isTTY === true && nowMs - shownMs >= PROGRESS_INTERVAL_MS) {
        shownMs = nowMs;
        const part =
          bytesTotal === undefined ? '' : ` ${Math.floor((100 * bytes) / Math.max(bytesTotal, 1))} %`;
        screen.write(`\rimporting${part}, ${count(Math.ceil(bytes / 1024))} KiB\u001B[K`);
      }
      done(null, chunk);
    },
    flush(done) {
      clear();
      done();
    },
  });
  stream.on('error', (error) => counted.destroy(error));
  return stream.pipe(counted);
}
