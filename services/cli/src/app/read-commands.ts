/* `imscope app` commands that read applications and their versions: list, show, history, diff. */
import { APPLICATION_STATUSES } from '@imscope/schemas/application-state.js';
import { Argument, Command, Option } from 'commander';
import { wholeNumber } from '../command/option-values.js';
import { count } from '../command/count.js';
import {
  addCommonOptions,
  type AppContext,
  type AppOptions,
  print,
  sdkAppId,
  withRegistry,
} from './app-context.js';
import { applicationsText, applicationText, differencesText, versionsText } from './application-text.js';

type ListOptions = AppOptions & {
  readonly search?: string;
  readonly status?: (typeof APPLICATION_STATUSES)[number];
  readonly limit: number;
  readonly after?: string;
};

const version = wholeNumber(1, Number.MAX_SAFE_INTEGER);

export function readCommands(context: AppContext): Command[] {
  return [list(context), show(context), history(context), diff(context)];
}

function list(context: AppContext): Command {
  return addCommonOptions(new Command('list'))
    .description('Applications, by SDKAppID.')
    .option('--search <text>', 'a part of the name or owner, or the start of the SDKAppID')
    .addOption(new Option('--status <status>', 'only these').choices(APPLICATION_STATUSES))
    .option('--limit <n>', 'how many', wholeNumber(1, 1_000), 100)
    .option('--after <next>', 'continue a list: what the page before printed as next')
    .action((options: ListOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const { search, status, limit, after } = options;
        const query = {
          limit,
          ...(search === undefined ? {} : { search }),
          ...(status === undefined ? {} : { status }),
          ...(after === undefined ? {} : { after }),
        };
        const answer = await call('listApplications', { query }, context.terminal.stopping);
        const { applications, total, next } = answer;
        const more =
          next === null
            ? ''
            : `\n${count(applications.length)} of ${count(total)}; --after ${next} gives the next`;
        print(context, options, answer, () => `${applicationsText(applications)}${more}`);
      }),
    );
}

function show(context: AppContext): Command {
  return addCommonOptions(new Command('show'))
    .description('One application, complete but for its secrets.')
    .addArgument(application())
    .action((id: number, options: AppOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const answer = await call(
          'getApplication',
          { params: { sdk_app_id: id } },
          context.terminal.stopping,
        );
        print(context, options, answer, () => applicationText(answer));
      }),
    );
}

function history(context: AppContext): Command {
  return addCommonOptions(new Command('history'))
    .description('Versions of an application, newest first.')
    .addArgument(application())
    .option('--limit <n>', 'how many', wholeNumber(1, 1_000), 50)
    .action((id: number, options: AppOptions & { readonly limit: number }) =>
      withRegistry(context, options, async ({ call }) => {
        const input = { params: { sdk_app_id: id }, query: { limit: options.limit } };
        const answer = await call('listVersions', input, context.terminal.stopping);
        print(context, options, answer, () => versionsText(answer.versions));
      }),
    );
}

function diff(context: AppContext): Command {
  return addCommonOptions(new Command('diff'))
    .description('What differs between two versions.')
    .addArgument(application())
    .addArgument(new Argument('<from>', 'version').argParser(version))
    .addArgument(new Argument('<to>', 'version').argParser(version))
    .action((id: number, from: number, to: number, options: AppOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const input = { params: { sdk_app_id: id }, query: { from, to } };
        const answer = await call('diffVersions', input, context.terminal.stopping);
        print(context, options, answer, () =>
          answer.differences.length === 0
            ? `versions ${from} and ${to} are the same`
            : differencesText(answer.differences),
        );
      }),
    );
}

export function application(): Argument {
  return new Argument('<SDKAppID>', 'the application').argParser(sdkAppId);
}
