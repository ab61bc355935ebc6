/*
 * `imscope query <question>`: any question of the query service, as a table or as JSON. Commands, options and tables
 * derive from the contracts of the questions.
 */
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';
import type { ParametersOf, QuestionName } from '@imscope/schemas/query-api/questions.js';
import { Command, Option } from 'commander';
import { Value } from 'typebox/value';
import { findToken } from '../command/access-token.js';
import { EXIT } from '../command/exit-codes.js';
import { printable } from '../command/http-answer.js';
import { localUrl } from '../command/local-stack.js';
import { baseUrl, wholeNumber } from '../command/option-values.js';
import type { Terminal } from '../command/terminal.js';
import { UsageError } from '../command/usage-error.js';
import { openQuery, type QueryClient, QueryFailure } from './query-client.js';
import { answerText } from './answer-text.js';
import { givenParameters, parameterFault, parameterOptions } from './parameter-options.js';
import { readPersonalValues } from './personal-values.js';
import {
  formFor,
  parametersSchema,
  type QuestionCommand,
  questionCommands,
  type QuestionForm,
} from './question-commands.js';

type QueryOptions = {
  readonly query: URL;
  readonly tokenFile?: string;
  readonly json?: true;
  readonly columns?: string;
  readonly watch?: number;
};

/** A question with its checked parameters. */
type Asked = {
  readonly title: string;
  readonly form: QuestionForm;
  readonly parameters: ParametersOf<QuestionName>;
};

const EXIT_CODES =
  '\nThe token comes from IMSCOPE_READ_TOKEN, from --token-file, or from the local stack. Times are UTC.\n\nExit codes: 0; 1 no answer; 2 wrong options.\n';

export function createQueryCommand(terminal: Terminal, onExit: (code: number) => void): Command {
  const command = new Command('query').description(
    'Any question of the query service: applications, interfaces, codes, exceptions, single requests.',
  );
  for (const one of questionCommands()) {
    command.addCommand(questionCommand(one, terminal, onExit));
  }
  return command;
}

function questionCommand(
  question: QuestionCommand,
  terminal: Terminal,
  onExit: (code: number) => void,
): Command {
  const { name, forms } = question;
  const [form] = forms;
  const command = new Command(name)
    .description(form?.contract.summary ?? '')
    .summary(shortened(form?.contract.summary ?? ''));
  for (const option of parameterOptions(allOptions(question), isRequired(question)))
    command.addOption(option);
  for (const { names, isOptional } of argumentsOf(question)) {
    command.argument(
      isOptional ? `[${names}]` : `<${names}>`,
      forms.length > 1 ? 'without an SDKAppID: all applications that the token may read' : '',
    );
  }
  return command
    .option('--query <url>', 'the query service', baseUrl, baseUrl(localUrl('queryUrl')))
    .option('--token-file <file>', 'file that holds the token')
    .option('--columns <names>', 'columns of tables, separated by commas; default: what fits the terminal')
    .option('--watch <seconds>', 'ask again after this time, until Ctrl-C', wholeNumber(1, 3_600))
    .addOption(new Option('--json', 'print the answer as one line of JSON'))
    .addHelpText('after', EXIT_CODES)
    .action(async (...given: unknown[]) => {
      const options = command.opts<QueryOptions & Record<string, unknown>>();
      const path = given.slice(0, -2).filter((value): value is string => typeof value === 'string');
      const asked = await readQuestion(question, path, options, terminal);
      onExit(await answer(asked, options, terminal));
    });
}

/** By place: the names of the arguments of all forms there. */
function argumentsOf({ forms }: QuestionCommand): { names: string; isOptional: boolean }[] {
  const lengths = forms.map(({ pathParameters }) => pathParameters.length);
  return Array.from({ length: Math.max(...lengths) }, (_, at) => {
    const names = forms.flatMap(({ pathParameters }) => pathParameters[at] ?? []);
    const shown = [...new Set(names)].map((name) => (name === 'sdk_app_id' ? 'SDKAppID' : name));
    return { names: shown.join('|'), isOptional: at >= Math.min(...lengths) };
  });
}

/** @throws UsageError */
async function readQuestion(
  command: QuestionCommand,
  path: readonly string[],
  options: Readonly<Record<string, unknown>>,
  terminal: Terminal,
): Promise<Asked> {
  const form = formFor(command, path);
  if (form === undefined) throw new UsageError(`"${command.name}" takes no ${path.length} arguments`);
  const given = givenParameters(Object.keys(allOptions(command)), options);
  const foreign = Object.keys(given).find((name) => !(name in form.options));
  if (foreign !== undefined) {
    const where = form.pathParameters.length === 0 ? 'for all applications' : 'for one application';
    throw new UsageError(`--${foreign.replaceAll('_', '-')} is no option of "${command.name}" ${where}`);
  }
  const inPath = form.pathParameters.map((name, index) => [name, pathValue(name, path[index] ?? '')]);
  const values = { ...(await readPersonalValues(given, terminal)), ...Object.fromEntries(inPath) };
  const fault = parameterFault(parametersSchema(form), values);
  if (fault !== undefined || !isParametersOf(form, values)) throw new UsageError(fault ?? 'wrong parameters');
  const isOfAll = form.contract.scope === 'fleet' && command.forms.length > 1;
  const title = isOfAll ? `${command.name} of all applications` : command.name;
  return { title, form, parameters: values };
}

/** Of all forms, by the name of the parameter. */
function allOptions({ forms }: QuestionCommand): QuestionForm['options'] {
  return Object.fromEntries(forms.flatMap(({ options }) => Object.entries(options)));
}

/** Whether every form of the question needs a parameter. */
function isRequired({ forms }: QuestionCommand): (name: string) => boolean {
  return (name) => forms.every(({ contract }) => (contract.query.required ?? []).includes(name));
}

function pathValue(name: string, text: string): unknown {
  return name === 'sdk_app_id' && /^\d{1,16}$/.test(text) ? Number(text) : text;
}

function isParametersOf(form: QuestionForm, values: unknown): values is ParametersOf<QuestionName> {
  return Value.Check(parametersSchema(form), values);
}

async function answer(asked: Asked, options: QueryOptions, terminal: Terminal): Promise<number> {
  const { query: url, tokenFile, watch } = options;
  const token = findToken({ scope: 'read', url, tokenFile, environment: terminal.environment });
  const query = openQuery(url, token);
  try {
    for (;;) {
      const { code, isLast } = await printAnswer(query, asked, options, terminal);
      if (watch === undefined || isLast || terminal.stopping.aborted) return code;
      await waitUnlessStopping(watch * 1_000, terminal.stopping);
      if (terminal.stopping.aborted) return code;
    }
  } finally {
    await query.close();
  }
}

/** Of a pipe, as other commands take it. */
function columnsOf({ COLUMNS: given = '' }: Terminal['environment']): number {
  return /^\d{2,4}$/.test(given) ? Number(given) : 80;
}

const CLEAR = '\u001B[H\u001B[2J';

/** Prints one answer, or why there is none. `isLast`: asking again does not help. */
async function printAnswer(
  query: QueryClient,
  { title, form, parameters }: Asked,
  { json, columns: wanted, watch }: QueryOptions,
  { stdout, stderr, environment, stopping }: Terminal,
): Promise<{ readonly code: number; readonly isLast: boolean }> {
  const { question, contract } = form;
  try {
    const received = await query.ask(question, parameters, stopping);
    const text =
      json === true
        ? JSON.stringify(received)
        : answerText(
            received,
            { title, data: contract.data },
            {
              columns: stdout.columns ?? columnsOf(environment),
              wanted: wanted?.split(',').map((name) => name.trim()),
            },
          );
    const clear = watch !== undefined && json !== true && stdout.isTTY === true ? CLEAR : '';
    stdout.write(`${clear}${text}\n`);
    return { code: EXIT.ok, isLast: false };
  } catch (error) {
    if (stopping.aborted) return { code: EXIT.ok, isLast: true };
    if (!(error instanceof QueryFailure)) throw error;
    stderr.write(`imscope: ${printable(error.message, 1_000)}\n`);
    return { code: error.isUsage ? EXIT.usage : EXIT.failed, isLast: error.final };
  }
}

const SUMMARY_LENGTH_MAX = 90;

/** For the list of commands: the first sentence. */
function shortened(summary: string): string {
  const [first = ''] = summary.split(/[.;:,] /);
  return first.length > SUMMARY_LENGTH_MAX ? `${first.slice(0, SUMMARY_LENGTH_MAX - 1)}…` : first;
}
