/*
 * Statements as the engine gets them: rows go to a pipe of ours (INTO OUTFILE), data comes from a file of ours
 * (FROM INFILE, or file() where the statement reads input()). Paths come from the store alone; what users write
 * can name none. Promise: no file of this machine can be read or written through SQL, see also engine-config.ts.
 */
import { type Token, fromByteText } from './sql-tokens.js';
import type { Statement } from './statement.js';
import { storeError } from './store-error.js';

/** What the SQL of users may not hold, whatever its kind. Throws code 497. */
export function refuseForbidden(statement: Statement): void {
  const found = statement.tokens;
  for (const [index, token] of found.entries()) {
    if (token.kind !== 'word' && token.kind !== 'quoted') continue;
    const next = found[index + 1]?.text;
    const name = bareName(token);
    if (next === '(' && FORBIDDEN_FUNCTIONS.has(name) && found[index - 1]?.text !== 'INTO')
      throw storeError(
        497,
        `the function ${name}() is not to be had here: the store reads no files and starts no programs`,
      );
    if (token.kind !== 'word') continue;
    if (token.text === 'INTO' && next === 'OUTFILE')
      throw storeError(497, 'INTO OUTFILE is not to be had here: read the rows from the answer');
    if (token.text === 'FROM' && next === 'INFILE')
      throw storeError(497, 'FROM INFILE is not to be had here: send the data in the body');
    if (index === 0 && token.text === 'SET' && (next === 'ROLE' || next === 'DEFAULT'))
      throw storeError(497, 'SET ROLE is not to be had here: the store has one user without roles');
  }
}

/** Functions that reach files or programs without the engine asking for a right. */
const FORBIDDEN_FUNCTIONS = new Set(['FILE', 'EXECUTABLE', 'FILECLUSTER', 'DISK']);

function bareName(token: Token): string {
  return token.kind === 'word' ? token.text : token.text.slice(1, -1).toUpperCase();
}

/** The statement with its rows going to `pipePath`, in its own format or else in `defaultFormat`. */
export function readingInto(
  statement: Statement,
  pipePath: string,
  defaultFormat: string,
): { sql: string; format: string } {
  const { sql, formatAt, format } = statement;
  const into = `INTO OUTFILE ${quoted(pipePath)} TRUNCATE`;
  if (formatAt === undefined || format === undefined) {
    const at = settingsAt(statement.tokens) ?? sql.length;
    const [head, settings] = [fromByteText(sql.slice(0, at)), fromByteText(sql.slice(at))];
    return { sql: `${head}\n${into} FORMAT ${defaultFormat} ${settings}`.trimEnd(), format: defaultFormat };
  }
  const [head, tail] = [fromByteText(sql.slice(0, formatAt)), fromByteText(sql.slice(formatAt))];
  return { sql: `${head}${into} ${tail}`, format: fromByteText(format) };
}

/** The INSERT with its data coming from `path`. `readsFile` where the engine reads it by file(), which takes a right. */
export function insertingFrom(statement: Statement, path: string): { sql: string; readsFile: boolean } {
  const { sql, format, tokens: found } = statement;
  const input = found.findIndex(
    (token, index) => token.text === 'INPUT' && token.kind === 'word' && found[index + 1]?.text === '(',
  );
  if (input < 0) {
    const at = settingsAt(found) ?? sql.length;
    const [head, settings] = [fromByteText(sql.slice(0, at)), fromByteText(sql.slice(at))];
    return {
      sql: `${head}\nFROM INFILE ${quoted(path)} ${settings}\nFORMAT ${format ?? 'Values'}`,
      readsFile: false,
    };
  }
  const [name, open, first] = [found[input], found[input + 1], found[input + 2]];
  if (name === undefined || open === undefined || first?.text === ')' || found[input - 1]?.text !== 'FROM')
    throw storeError(62, "Syntax error: write FROM input('column Type, …') with the structure of the data");
  refuseOtherTables(found, input);
  const source = `file(${quoted(path)}, ${quoted(format ?? '')}, `;
  const rewritten = fromByteText(sql.slice(0, name.start)) + source + fromByteText(sql.slice(open.end));
  return { sql: rewritten, readsFile: true };
}

/** Where the last `SETTINGS name = …` outside brackets begins, if it is the end of the statement. */
function settingsAt(found: readonly Token[]): number | undefined {
  let depth = 0;
  let at: number | undefined;
  for (const [index, token] of found.entries()) {
    if (token.text === '(' || token.text === '[') depth += 1;
    if (token.text === ')' || token.text === ']') depth -= 1;
    if (depth > 0 || token.kind !== 'word') continue;
    if (token.text === 'SETTINGS' && found[index + 1]?.kind === 'word' && found[index + 2]?.text === '=')
      at = token.start;
    if (token.text === 'SELECT') at = undefined;
  }
  return at;
}

/**
 * A KILL with ids of requests turned into the engine's own: it gives every statement an id, we know the pipes.
 * Never SYNC: the engine keeps a killed statement in its list until the session's next one, so that waits for ever.
 * @param reads pipes by the id of the request
 */
export function killingOneOf(statement: Statement, reads: ReadonlyMap<string, string>): string {
  const pipes = new Map([...reads].map(([id, path]) => [quoted(id), path]));
  let sql = '';
  let at = 0;
  for (const [index, token] of statement.tokens.entries()) {
    const pipePath = token.kind === 'string' ? pipes.get(fromByteText(token.text)) : undefined;
    const sync = token.text === 'SYNC' && token.kind === 'word' && index === statement.tokens.length - 1;
    if (pipePath === undefined && !sync) continue;
    sql += fromByteText(statement.sql.slice(at, token.start));
    if (pipePath !== undefined)
      sql += `(SELECT query_id FROM system.processes WHERE ${readsInto(pipePath)} LIMIT 1)`;
    at = token.end;
  }
  return sql + fromByteText(statement.sql.slice(at));
}

/**
 * Condition on system.processes: the read that writes into `pipePath`. No two reads ever have the same path, so a late
 * KILL ends no other read.
 */
export function readsInto(pipePath: string): string {
  return `position(query, ${quoted(pipePath)}) > 0 AND query NOT LIKE 'KILL%'`;
}

/** Such an INSERT runs with the right to read files, so it may name no table but the one it inserts into. */
function refuseOtherTables(found: readonly Token[], input: number): void {
  for (const [index, token] of found.entries()) {
    if (token.kind !== 'word' || index === input - 1) continue;
    const otherTable =
      token.text === 'FROM' ||
      token.text === 'JOIN' ||
      (token.text === 'IN' && found[index + 1]?.text !== '(');
    const listOfTables = index === input && tableListFollows(found, input);
    if (otherTable || listOfTables)
      throw storeError(
        48,
        'An INSERT that reads input() can read no other table: insert the data first, join when reading',
      );
  }
}

/** Whether `FROM input(…)` is followed by a comma, that is by another table. */
function tableListFollows(found: readonly Token[], input: number): boolean {
  let depth = 0;
  for (let index = input + 1; index < found.length; index += 1) {
    if (found[index]?.text === '(') depth += 1;
    if (found[index]?.text === ')') depth -= 1;
    if (depth < 0) return false;
    if (
      depth === 0 &&
      found[index]?.kind === 'word' &&
      ['WHERE', 'SETTINGS', 'ORDER', 'GROUP', 'LIMIT', 'PREWHERE'].includes(found[index]?.text ?? '')
    )
      return false;
    if (depth === 0 && found[index]?.text === ',') return true;
  }
  return false;
}

/** A value as a string literal. */
export function quoted(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** A name as a quoted identifier. */
export function quotedName(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}
