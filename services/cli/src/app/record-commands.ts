/* `imscope app` commands that list records: sharings, audit, notices, purges. */
import { Command } from 'commander';
import { printable } from '../command/http-answer.js';
import { wholeNumber } from '../command/option-values.js';
import {
  addCommonOptions,
  type AppContext,
  type AppOptions,
  print,
  sdkAppId,
  withRegistry,
} from './app-context.js';
import { minute, tableText } from './application-text.js';
import { application } from './read-commands.js';

type RecordOptions = AppOptions & { readonly application?: number; readonly limit: number };

export function recordCommands(context: AppContext): Command[] {
  return [sharings(context), audit(context), notices(context), purges(context)];
}

function sharings(context: AppContext): Command {
  return addCommonOptions(new Command('sharings'))
    .description('Every sharing of an application with the audio/video service, newest first.')
    .addArgument(application())
    .action((id: number, options: AppOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const answer = await call('listSharings', { params: { sdk_app_id: id } }, context.terminal.stopping);
        print(context, options, answer, () =>
          tableText(
            ['REQUESTED', 'SHARED', 'END REQUESTED', 'ENDED', 'ATTEMPTS', 'LAST ERROR'],
            answer.sharings.map((one) => [
              minute(one.requested_at),
              ...[one.shared_at, one.end_requested_at, one.ended_at].map((time) => minute(time ?? '-')),
              String(one.attempts),
              printable(one.last_error ?? '', 80),
            ]),
          ),
        );
      }),
    );
}

function audit(context: AppContext): Command {
  return ofOne(list('audit', 'Who changed what and why, newest first.')).action((options: RecordOptions) =>
    withRegistry(context, options, async ({ call }) => {
      const answer = await call('listAudit', queryOf(options), context.terminal.stopping);
      print(context, options, answer, () =>
        tableText(
          ['AT', 'ACTOR', 'ACTION', 'APPLICATION', 'REASON', 'PATHS'],
          answer.entries.map(({ at, actor, action, sdk_app_id: id, reason, paths }) => [
            minute(at),
            printable(actor, 32),
            printable(action, 32),
            String(id ?? ''),
            printable(reason, 60),
            printable(paths.join(' '), 60),
          ]),
        ),
      );
    }),
  );
}

function notices(context: AppContext): Command {
  return ofOne(list('notices', 'Notices of terminations and purges, newest first.')).action(
    (options: RecordOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const answer = await call('listNotices', queryOf(options), context.terminal.stopping);
        print(context, options, answer, () =>
          tableText(
            ['AT', 'APPLICATION', 'KIND', 'MESSAGE'],
            answer.notices.map(({ at, sdk_app_id: id, kind, message }) => [
              minute(at),
              String(id),
              kind,
              printable(message, 200),
            ]),
          ),
        );
      }),
  );
}

function purges(context: AppContext): Command {
  return list('purges', 'Purges, newest first; --json gives their certificates.').action(
    (options: RecordOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const answer = await call(
          'listPurges',
          { query: { limit: options.limit } },
          context.terminal.stopping,
        );
        print(context, options, answer, () =>
          tableText(
            ['APPLICATION', 'DUE', 'LATEST', 'COMPLETED', 'OPEN PLACES'],
            answer.purges.map((one) => [
              String(one.sdk_app_id),
              minute(one.due_at),
              minute(one.latest_at),
              minute(one.completed_at ?? 'not yet'),
              one.places.flatMap(({ place, state }) => (state === 'open' ? [place] : [])).join(', '),
            ]),
          ),
        );
      }),
  );
}

function list(name: string, description: string): Command {
  return addCommonOptions(new Command(name))
    .description(description)
    .option('--limit <n>', 'how many', wholeNumber(1, 1_000), 50);
}

function ofOne(command: Command): Command {
  return command.option('--application <SDKAppID>', 'only of this one', sdkAppId);
}

function queryOf({ limit, application: id }: RecordOptions) {
  return { query: { limit, ...(id === undefined ? {} : { sdk_app_id: id }) } };
}
