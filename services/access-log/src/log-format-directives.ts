/*
 * Reads the `log_format` directives of an nginx configuration, by nginx's rules for words, quotes and comments. Other
 * directives are skipped, and included files are not read.
 */
import { ESCAPES, type Escape } from './value-shapes.js';
import { LogFormatError } from './log-format-error.js';

export type NamedLogFormat = { readonly name: string; readonly escape: Escape; readonly text: string };

/** One step of nginx's reader: blanks, a comment, `;` or a brace, a quoted word, or a bare word. */
const TOKEN =
  /\s+|#[^\n]*|([;{}])|"((?:[^"\\]|\\[^])*)"|'((?:[^'\\]|\\[^])*)'|((?!["'])(?:\$\{[A-Za-z0-9_]*\}?|\\[^]|[^\s;{}\\])+)/y;
const ESCAPED = /\\(["'\\trn])/g;
const CONTROL: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n' };

/** All formats of a configuration, in order. Throws LogFormatError where a quote or an escape is not closed. */
export function readLogFormats(configuration: string): NamedLogFormat[] {
  const formats: NamedLogFormat[] = [];
  let words: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < configuration.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(configuration);
    if (token === null) throw new LogFormatError(`${placeOf(configuration, at)}: a quote is not closed`);
    const [, end, double, single, bare] = token;
    const word = double ?? single ?? bare;
    if (word !== undefined) words.push(unescapeWord(word));
    if (end === undefined) continue;
    if (end === ';' && words[0] === 'log_format') formats.push(namedFormat(words));
    words = [];
  }
  if (words[0] === 'log_format') formats.push(namedFormat(words));
  return formats;
}

/** The format called `name`, or the only one. Throws LogFormatError, which names the formats found. */
export function chooseLogFormat(
  formats: readonly NamedLogFormat[],
  name: string | undefined,
): NamedLogFormat {
  const names = formats.map((format) => format.name).join(', ');
  if (formats.length === 0) {
    throw new LogFormatError(
      'no log_format in this file (included files are not followed): give the file that has it',
    );
  }
  if (name === undefined) {
    const [only, ...others] = formats;
    if (only !== undefined && others.length === 0) return only;
    throw new LogFormatError(`several log formats in this file (${names}): choose one by its name`);
  }
  const chosen = formats.find((format) => format.name === name);
  if (chosen === undefined)
    throw new LogFormatError(`no log_format "${name}" in this file, it has: ${names}`);
  return chosen;
}

/** A format given as its text, or as the complete directive. Throws LogFormatError where it is neither. */
export function formatOfText(text: string): Omit<NamedLogFormat, 'name'> {
  if (!/^\s*log_format\s/.test(text)) return { text, escape: 'default' };
  return chooseLogFormat(readLogFormats(text), undefined);
}

function namedFormat([, name, ...parts]: readonly string[]): NamedLogFormat {
  if (name === undefined || parts.length === 0) {
    throw new LogFormatError("log_format needs a name and a text: log_format NAME '$remote_addr …';");
  }
  const option = parts[0]?.startsWith('escape=') === true ? parts[0].slice('escape='.length) : undefined;
  const escape = ESCAPES.find((known) => known === (option ?? 'default'));
  if (escape === undefined) {
    throw new LogFormatError(`log_format ${name} has escape=${option}: nginx knows ${ESCAPES.join(', ')}`);
  }
  return { name, escape, text: parts.slice(option === undefined ? 0 : 1).join('') };
}

function unescapeWord(word: string): string {
  return word.replaceAll(ESCAPED, (_, char: string) => CONTROL[char] ?? char);
}

function placeOf(configuration: string, at: number): string {
  return `line ${configuration.slice(0, at).split('\n').length} of the configuration`;
}
