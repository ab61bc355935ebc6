/*
 * Addresses and prefixes of callers, read from the input: a command line is kept in the shell's history and shown to
 * other users of the machine.
 */
import { createInterface } from 'node:readline/promises';
import { PERSONAL_FILTER_NAMES } from '@imscope/schemas/query-api/personal-filters.js';
import { UsageError } from '../command/usage-error.js';
import type { Terminal } from '../command/terminal.js';
import { optionName, type ParameterValues } from './parameter-options.js';

const INPUT_CHARACTERS_MAX = 10_000;

/**
 * The given parameters with the values of personal filters in the place of `-`. With both filters, values with a `/`
 * are prefixes.
 * @throws UsageError where a value is on the command line, or the input has none
 */
export async function readPersonalValues(
  given: ParameterValues,
  terminal: Pick<Terminal, 'stdin' | 'stderr' | 'stopping'>,
): Promise<ParameterValues> {
  const names = PERSONAL_FILTER_NAMES.filter((name) => given[name] !== undefined);
  if (names.length === 0) return given;
  for (const name of names) {
    if (given[name] === '-') continue;
    throw new UsageError(
      `${optionName(name)} takes no value on the command line, which is kept in the history of the shell: give ${optionName(name)} - and type the values, or pipe them in`,
    );
  }
  const words = await readWords(names, terminal);
  const valuesOf = (name: string): string[] =>
    names.length === 1 ? words : words.filter((word) => word.includes('/') === (name === 'prefix'));
  const values = names.map((name): [string, string[]] => [name, valuesOf(name)]);
  const empty = values.find(([, own]) => own.length === 0);
  if (empty !== undefined) throw new UsageError(`the input has no value for ${optionName(empty[0])}`);
  return { ...given, ...Object.fromEntries(values) };
}

async function readWords(
  names: readonly string[],
  { stdin, stderr, stopping }: Pick<Terminal, 'stdin' | 'stderr' | 'stopping'>,
): Promise<string[]> {
  const text =
    stdin.isTTY === true ? await typedLine(names, { stdin, stderr, stopping }) : await allOf(stdin);
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

async function typedLine(
  names: readonly string[],
  { stdin, stderr, stopping }: Pick<Terminal, 'stdin' | 'stderr' | 'stopping'>,
): Promise<string> {
  const lines = createInterface({ input: stdin });
  stderr.write(`${names.map(optionName).join(', ')}: `);
  try {
    return await lines.question('', { signal: stopping });
  } finally {
    lines.close();
  }
}

async function allOf(stdin: Terminal['stdin']): Promise<string> {
  let text = '';
  for await (const chunk of stdin) {
    text += String(chunk);
    if (text.length > INPUT_CHARACTERS_MAX)
      throw new UsageError(
        `the input has more than ${INPUT_CHARACTERS_MAX} characters: 20 values are allowed`,
      );
  }
  return text;
}
