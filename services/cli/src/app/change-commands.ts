/*
 * `imscope app` commands that change one application: create, set, rollback, the lifecycle and the key. Each names a reason.
 * A change names the revision it was made for, so a change of somebody else in between is not overwritten.
 */
import { CONFIGURATION_TERM_MONTHS } from '@imscope/schemas/retention.js';
import { readFileSync } from 'node:fs';
import { errorMessage } from '@imscope/runtime/error-message.js';
import type { Application } from '@imscope/schemas/registry-api/application.js';
import { CONFIGURATION_DEFAULTS } from '@imscope/schemas/registry-api/configuration.js';
import { DETAILS_DEFAULTS } from '@imscope/schemas/registry-api/details.js';
import { differencesOf, patchOf } from '@imscope/schemas/registry-api/differences.js';
import type { NewApplication, StatePatch } from '@imscope/schemas/registry-api/operations.js';
import { SETTINGS_DEFAULTS } from '@imscope/schemas/registry-api/settings.js';
import { Argument, Command } from 'commander';
import { parseJson } from '../command/http-answer.js';
import { label, wholeNumber } from '../command/option-values.js';
import { EXIT } from '../command/exit-codes.js';
import { UsageError } from '../command/usage-error.js';
import {
  addCommonOptions,
  addReason,
  type AppContext,
  type AppOptions,
  isConfirmed,
  print,
  withRegistry,
} from './app-context.js';
import { differencesText } from './application-text.js';
import { application } from './read-commands.js';
import type { RegistryClient } from './registry-client.js';
import { partsOfFile, withPairs } from './value-pairs.js';

type ReasonOptions = AppOptions & { readonly reason: string };
type FileOptions = { readonly file?: string };
/** What a creation leaves out: it says which values are text, too. */
const DEFAULTS = {
  details: DETAILS_DEFAULTS,
  settings: SETTINGS_DEFAULTS,
  configuration: CONFIGURATION_DEFAULTS,
};
const CLOUD_NUMBER = wholeNumber(1, Number.MAX_SAFE_INTEGER);

export function changeCommands(context: AppContext): Command[] {
  return [create(context), set(context), rollback(context), ...lifecycle(context), rotate(context)];
}

type CreateOptions = ReasonOptions &
  FileOptions & {
    readonly appId: number;
    readonly uin: number;
    readonly name: string;
    readonly dataCentre: string;
  };

function create(context: AppContext): Command {
  return addReason(addCommonOptions(new Command('create')))
    .description('Create an application. Its key is printed once.')
    .addArgument(application())
    .argument('[pairs...]', 'what differs from the defaults, such as details.owner=Messaging')
    .requiredOption('--app-id <APPID>', 'number of the cloud account', CLOUD_NUMBER)
    .requiredOption('--uin <UIN>', 'number of the account’s user', CLOUD_NUMBER)
    .requiredOption('--name <name>', 'its name', label)
    .requiredOption('--data-centre <region>', 'where its data is kept, such as singapore', label)
    .option('--file <file>', 'JSON object of details, settings and configuration')
    .action((id: number, pairs: string[], options: CreateOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const { appId, uin, name, dataCentre, reason } = options;
        const wanted = withPairs(merged(DEFAULTS, fileParts(options.file)), pairs);
        const given = objectOf(patchOf(DEFAULTS, wanted));
        const body: NewApplication = {
          ...given,
          sdk_app_id: id,
          app_id: appId,
          uin,
          reason,
          details: { ...objectIn(given, 'details'), name, data_centre: dataCentre },
        };
        const answer = await call('createApplication', { body }, context.terminal.stopping);
        context.terminal.stderr.write(
          'The application’s key is printed this once: keep it where secrets are kept.\n',
        );
        print(context, options, answer, () => answer.key);
      }),
    );
}

function set(context: AppContext): Command {
  return addReason(addCommonOptions(new Command('set')))
    .description('Change details, settings or configuration; makes a new version.')
    .addArgument(application())
    .argument('[pairs...]', 'such as configuration.recent_contacts_max=200; lists as JSON')
    .option('--file <file>', 'JSON object of details, settings and configuration, each as far as it changes')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nWhat changes is shown first. Paths are those of `imscope app show`; null gives a value its default again.\n',
    )
    .action((id: number, pairs: string[], options: ReasonOptions & FileOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const { terminal } = context;
        const current = await call('getApplication', { params: { sdk_app_id: id } }, terminal.stopping);
        const before = stateOf(current);
        const after = withPairs(merged(before, fileParts(options.file)), pairs);
        const patch = patchOf(before, after);
        if (patch === undefined) {
          terminal.stderr.write('imscope: nothing differs from what is set\n');
          print(context, options, current, () => `version ${current.version} stays`);
          return EXIT.ok;
        }
        if (options.json !== true)
          terminal.stdout.write(`${differencesText(differencesOf(before, after))}\n`);
        const confirmed = await isConfirmed(
          context,
          options,
          `change ${id} ${current.details.name}? (yes)`,
          'yes',
        );
        if (!confirmed) return EXIT.failed;
        const body: StatePatch = { ...objectOf(patch), reason: options.reason };
        const input = { params: { sdk_app_id: id }, body, revision: current.revision };
        const answer = await call('changeApplication', input, terminal.stopping);
        print(context, options, answer, () => `version ${answer.version} is in force`);
        return EXIT.ok;
      }),
    );
}

function rollback(context: AppContext): Command {
  return addReason(addCommonOptions(new Command('rollback')))
    .description('Make the state of an earlier version the newest version.')
    .addArgument(application())
    .addArgument(new Argument('<version>', 'see history').argParser(wholeNumber(1, Number.MAX_SAFE_INTEGER)))
    .option('--yes', 'do not ask')
    .action((id: number, version: number, options: ReasonOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const { terminal } = context;
        const params = { sdk_app_id: id };
        const current = await call('getApplication', { params }, terminal.stopping);
        const { differences } = await call(
          'diffVersions',
          { params, query: { from: current.version, to: version } },
          terminal.stopping,
        );
        if (options.json !== true) terminal.stdout.write(`${differencesText(differences)}\n`);
        const confirmed = await isConfirmed(context, options, `go back to version ${version}? (yes)`, 'yes');
        if (!confirmed) return EXIT.failed;
        const input = { params, body: { version, reason: options.reason }, revision: current.revision };
        const answer = await call('rollback', input, terminal.stopping);
        print(
          context,
          options,
          answer,
          () => `version ${answer.version} is in force, as version ${version} was`,
        );
        return EXIT.ok;
      }),
    );
}

const LIFECYCLE = [
  {
    name: 'suspend',
    operation: 'suspendApplication',
    what: 'Refuse its records from now on; its data can be read.',
  },
  {
    name: 'resume',
    operation: 'resumeApplication',
    what: 'Accept the records of a suspended application again.',
  },
  {
    name: 'terminate',
    operation: 'terminateApplication',
    what: `Stop sending and reading; everything is purged after ${CONFIGURATION_TERM_MONTHS} calendar months.`,
  },
  { name: 'restore', operation: 'restoreApplication', what: 'Make a terminated application active again.' },
] as const;
/** The person types the SDKAppID before these. */
const DESTRUCTIVE: ReadonlySet<string> = new Set(['suspend', 'terminate', 'rotate']);

function lifecycle(context: AppContext): Command[] {
  return LIFECYCLE.map(({ name, operation, what }) =>
    addReason(addCommonOptions(new Command(name)))
      .description(what)
      .addArgument(application())
      .option('--yes', 'do not ask')
      .action((id: number, options: ReasonOptions) =>
        withRegistry(context, options, async (client) => {
          const current = await confirmed(context, client, { id, name, options });
          if (current === undefined) return EXIT.failed;
          const input = {
            params: { sdk_app_id: id },
            body: { reason: options.reason },
            revision: current.revision,
          };
          const answer = await client.call(operation, input, context.terminal.stopping);
          const purge = answer.purge_at === null ? '' : `; it is purged from ${answer.purge_at} on`;
          print(context, options, answer, () => `${id} is ${answer.status}${purge}`);
          return EXIT.ok;
        }),
      ),
  );
}

function rotate(context: AppContext): Command {
  return addReason(addCommonOptions(new Command('rotate')))
    .description('Make a new application key, printed once; the old one ends.')
    .addArgument(application())
    .option('--yes', 'do not ask')
    .action((id: number, options: ReasonOptions) =>
      withRegistry(context, options, async (client) => {
        const current = await confirmed(context, client, { id, name: 'rotate', options });
        if (current === undefined) return EXIT.failed;
        const { reason } = options;
        const input = { params: { sdk_app_id: id }, body: { reason }, revision: current.revision };
        const answer = await client.call('rotateKey', input, context.terminal.stopping);
        context.terminal.stderr.write('The new key is printed this once: keep it where secrets are kept.\n');
        print(context, options, answer, () => answer.key);
        return EXIT.ok;
      }),
    );
}

/** The application as it is; undefined where the person does not confirm. */
async function confirmed(
  context: AppContext,
  { call }: RegistryClient,
  { id, name, options }: { readonly id: number; readonly name: string; readonly options: AppOptions },
): Promise<Application | undefined> {
  const current = await call('getApplication', { params: { sdk_app_id: id } }, context.terminal.stopping);
  const [question, word] = DESTRUCTIVE.has(name)
    ? [`to ${name} ${id} ${current.details.name}, type its SDKAppID`, String(id)]
    : [`${name} ${id} ${current.details.name}? (yes)`, 'yes'];
  return (await isConfirmed(context, options, question, word)) ? current : undefined;
}

function stateOf({ details, settings, configuration }: Application) {
  return { details, settings, configuration };
}

function fileParts(file: string | undefined) {
  if (file === undefined) return {};
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${errorMessage(error)}`, { cause: error });
  }
  return partsOfFile(parseJson(text), file);
}

/** Objects merge, everything else is replaced, as the registry does it with the patch. */
function merged(before: Readonly<Record<string, unknown>>, over: Readonly<Record<string, unknown>>) {
  const result = new Map(Object.entries(before));
  for (const [name, value] of Object.entries(over)) {
    const current = result.get(name);
    result.set(name, isObject(current) && isObject(value) ? merged(current, value) : value);
  }
  return Object.fromEntries(result);
}

function objectIn(given: object, name: string): object {
  return objectOf(new Map<string, unknown>(Object.entries(given)).get(name));
}

function objectOf(value: unknown): object {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
