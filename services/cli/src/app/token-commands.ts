/* `imscope app tokens`: list, create, revoke. A token is printed once, when it is created. */
import { TOKEN_SCOPES, type TokenScope } from '@imscope/schemas/registry-entry.js';
import { Argument, Command, Option } from 'commander';
import { label, wholeNumber } from '../command/option-values.js';
import { EXIT } from '../command/exit-codes.js';
import {
  addCommonOptions,
  addReason,
  type AppContext,
  type AppOptions,
  isConfirmed,
  print,
  sdkAppId,
  withRegistry,
} from './app-context.js';
import { tokensText } from './application-text.js';

type CreateOptions = AppOptions & {
  readonly reason: string;
  readonly name: string;
  readonly scope: TokenScope;
  readonly application?: number[];
  readonly all?: true;
  readonly expires?: string;
  readonly rate?: number;
};

export function tokensCommand(context: AppContext): Command {
  return new Command('tokens')
    .description('Tokens of gateways, readers and administrators.')
    .addCommand(list(context))
    .addCommand(create(context))
    .addCommand(revoke(context));
}

function list(context: AppContext): Command {
  return addCommonOptions(new Command('list'))
    .description('Tokens in force.')
    .action((options: AppOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const answer = await call('listTokens', {}, context.terminal.stopping);
        print(context, options, answer, () => tokensText(answer.tokens));
      }),
    );
}

function create(context: AppContext): Command {
  return addReason(addCommonOptions(new Command('create')))
    .description('Create a token. It is printed once.')
    .requiredOption('--name <name>', 'of its holder; tokens of one name share their rate', label)
    .addOption(new Option('--scope <scope>', 'what it may do').choices(TOKEN_SCOPES).makeOptionMandatory())
    .option('--application <SDKAppID>', 'for this application; may be repeated', collectIds)
    .option('--all', 'for all applications')
    .option('--expires <time>', 'RFC 3339; never where left out')
    .option('--rate <n>', 'records a second at most', wholeNumber(1, 1_000_000_000))
    .action((options: CreateOptions, command: Command) =>
      withRegistry(context, options, async ({ call }) => {
        const { name, scope, application: ids, all, expires, rate, reason } = options;
        if ((ids === undefined) === (all === undefined)) {
          command.error('error: give --application SDKAppID, or --all');
        }
        const body = {
          name,
          scope,
          applications: ids ?? ('all' as const),
          reason,
          ...(expires === undefined ? {} : { expires_at: expires }),
          ...(rate === undefined ? {} : { records_per_second_max: rate }),
        };
        const answer = await call('createToken', { body }, context.terminal.stopping);
        context.terminal.stderr.write('The token is printed this once: keep it where secrets are kept.\n');
        print(context, options, answer, () => answer.token);
      }),
    );
}

function revoke(context: AppContext): Command {
  return addCommonOptions(new Command('revoke'))
    .description('Revoke a token; it stops working within a second.')
    .addArgument(new Argument('<id>', 'see list').argParser(wholeNumber(1, Number.MAX_SAFE_INTEGER)))
    .option('--yes', 'do not ask')
    .action((id: number, options: AppOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const confirmed = await isConfirmed(
          context,
          options,
          `to revoke token ${id}, type its id`,
          String(id),
        );
        if (!confirmed) return EXIT.failed;
        const answer = await call('revokeToken', { params: { id } }, context.terminal.stopping);
        print(context, options, answer, () => `token ${answer.id} "${answer.name}" is revoked`);
        return EXIT.ok;
      }),
    );
}

function collectIds(text: string, before: readonly number[] = []): number[] {
  return [...before, sdkAppId(text)];
}
