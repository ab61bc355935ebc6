/*
 * What the commands of `imscope app` share: their options, the connection to the registry, questions to the person, and
 * how a result is printed.
 */
import { createInterface } from 'node:readline/promises';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { type Command, InvalidArgumentError } from 'commander';
import { findToken } from '../command/access-token.js';
import { localUrl } from '../command/local-stack.js';
import { baseUrl, wholeNumber } from '../command/option-values.js';
import { EXIT } from '../command/exit-codes.js';
import type { Terminal } from '../command/terminal.js';
import { UsageError } from '../command/usage-error.js';
import { openRegistry, type RegistryClient, RegistryFailure } from './registry-client.js';

export type AppOptions = {
  readonly registry: URL;
  readonly tokenFile?: string;
  readonly json?: true;
  readonly yes?: true;
};

export type AppContext = {
  readonly terminal: Terminal;
  readonly onExit: (code: number) => void;
};

/** Options that every command of `imscope app` has. */
export function addCommonOptions(command: Command): Command {
  return command
    .option(
      '--registry <url>',
      'the registry, or a query service in front of it',
      baseUrl,
      baseUrl(localUrl('registryUrl')),
    )
    .option('--token-file <file>', 'file that holds a token of scope admin')
    .option('--json', 'print the answer as one line of JSON');
}

/** A change names its reason, which the registry keeps. */
export function addReason(command: Command): Command {
  return command.requiredOption('--reason <text>', 'why; kept with the change', (text) => {
    if (text.trim() === '' || text.length > 200) throw new InvalidArgumentError('Give 1 to 200 characters.');
    return text;
  });
}

export const sdkAppId = wholeNumber(1, REQUEST_LOG_BOUNDS.sdkAppIdMax);

/** Connects, runs `work`, prints why it failed. */
export async function withRegistry(
  { terminal, onExit }: AppContext,
  options: AppOptions,
  work: (client: RegistryClient) => Promise<number | void>,
): Promise<void> {
  const token = findToken({
    scope: 'admin',
    url: options.registry,
    tokenFile: options.tokenFile,
    environment: terminal.environment,
  });
  const client = openRegistry(options.registry, token);
  try {
    onExit((await work(client)) ?? EXIT.ok);
  } catch (error) {
    if (!(error instanceof RegistryFailure)) throw error;
    terminal.stderr.write(`imscope: ${error.message}\n`);
    onExit(EXIT.failed);
  } finally {
    await client.close();
  }
}

/** The answer as JSON, or `text` for people. */
export function print(
  { terminal }: AppContext,
  options: AppOptions,
  answer: unknown,
  text: () => string,
): void {
  terminal.stdout.write(`${options.json === true ? JSON.stringify(answer) : text()}\n`);
}

/**
 * True where the person types `word`, or gave --yes.
 * @throws UsageError where nobody can be asked
 */
export async function isConfirmed(
  { terminal }: AppContext,
  options: AppOptions,
  question: string,
  word: string,
): Promise<boolean> {
  if (options.yes === true) return true;
  if (terminal.stdin.isTTY !== true) {
    throw new UsageError('this changes something, and there is no terminal to ask: give --yes');
  }
  const lines = createInterface({ input: terminal.stdin });
  terminal.stderr.write(`${question}: `);
  try {
    const answer = await lines.question('', { signal: terminal.stopping });
    if (answer.trim() === word) return true;
    terminal.stderr.write('imscope: nothing was changed\n');
    return false;
  } finally {
    lines.close();
  }
}
