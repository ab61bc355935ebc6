/*
 * Rewrites statements for the engine: rows of a read go to a named pipe (INTO OUTFILE), data of an INSERT comes from
 * a scratch file (FROM INFILE, or file() where the statement reads input()). Only the store writes paths into a
 * statement; a user's statement that names one is refused. So no SQL reads or writes a file of the machine; see also
 * engine-config.ts.
 */
import { type Token, fromByteText } from './sql-tokens.js';
import type { Statement } from './statement.js';
import { storeError } from './store-error.js';

/** Refuses functions and clauses that reach files, programs or roles. Throws code 497. */
export function refuseForbidden(statement: Statement): void {
  const { tokens } = statement;
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'word' && token.kind !== 'quoted') continue;
    const next = tokens[index + 1]?.text;
    const name = unquotedName(token);
    if (next === '(' && FORBIDDEN_FUNCTIONS.has(name) && tokens[index - 1]?.text !== 'INTO')
      throw storeError(
        497,
        `the function ${name}() is not available: the store reads no files and starts no programs`,
      );
    if (token.kind !== 'word') continue;
    if (token.text === 'INTO' && next === 'OUTFILE')
      throw storeError(497, 'INTO OUTFILE is not available: read the rows from the answer');
    if (token.text === 'FROM' && next === 'INFILE')
      throw storeError(497, 'FROM INFILE is not available: send the data in the body');
    if (index === 0 && token.text === 'SET' && (next === 'ROLE' || next === 'DEFAULT'))
      throw storeError(497, 'SET ROLE is not available: the store has one user without roles');
  }
}

/** Functions that reach files or programs and for which the engine checks no right. */
const FORBIDDEN_FUNCTIONS = new Set(['FILE', 'EXECUTABLE', 'FILECLUSTER', 'DISK']);

function unquotedName(token: Token): string {
  return token.kind === 'word' ? token.text : token.text.slice(1, -1).toUpperCase();
}

/** The statement with its rows written to `pipePath`, in its own format or else in `defaultFormat`. */
export function selectIntoPipe(
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

/** The INSERT with its data read from `path`. `readsFile` where it uses file(), which needs a right. */
export function insertFromFile(statement: Statement, path: string): { sql: string; readsFile: boolean } {
  const { sql, format, tokens } = statement;
  const input = tokens.findIndex(
    (token, index) => token.text === 'INPUT' && token.kind === 'word' && tokens[index + 1]?.text === '(',
  );
  if (input < 0) {
    const at = settingsAt(tokens) ?? sql.length;
    const [head, settings] = [fromByteText(sql.slice(0, at)), fromByteText(sql.slice(at))];
    return {
      sql: `${head}\nFROM INFILE ${quoted(path)} ${settings}\nFORMAT ${format ?? 'Values'}`,
      readsFile: false,
    };
  }
  const [name, open, first] = [tokens[input], tokens[input + 1], tokens[input + 2]];
  if (name === undefined || open === undefined || first?.text === ')' || tokens[input - 1]?.text !== 'FROM')
    throw storeError(62, "Syntax error: write FROM input('column Type, …') with the structure of the data");
  refuseOtherTables(tokens, input);
  const source = `file(${quoted(path)}, ${quoted(format ?? '')}, `;
  const rewritten = fromByteText(sql.slice(0, name.start)) + source + fromByteText(sql.slice(open.end));
  return { sql: rewritten, readsFile: true };
}

/** Where the last `SETTINGS name = …` outside brackets begins, if it ends the statement. */
function settingsAt(tokens: readonly Token[]): number | undefined {
  let depth = 0;
  let at: number | undefined;
  for (const [index, token] of tokens.entries()) {
    if (token.text === '(' || token.text === '[') depth += 1;
    if (token.text === ')' || token.text === ']') depth -= 1;
    if (depth > 0 || token.kind !== 'word') continue;
    if (token.text === 'SETTINGS' && tokens[index + 1]?.kind === 'word' && tokens[index + 2]?.text === '=')
      at = token.start;
    if (token.text === 'SELECT') at = undefined;
  }
  return at;
}

/**
 * Replaces query ids of requests in a KILL by the engine's own ids, which are found by the pipe a read writes to.
 * SYNC is removed: the engine lists a killed statement until the session runs its next one, so SYNC would wait
 * forever.
 * @param reads paths of pipes by the query id of the request
 */
export function killByQueryId(statement: Statement, reads: ReadonlyMap<string, string>): string {
  const pipes = new Map([...reads].map(([id, path]) => [quoted(id), path]));
  let sql = '';
  let at = 0;
  for (const [index, token] of statement.tokens.entries()) {
    const pipePath = token.kind === 'string' ? pipes.get(fromByteText(token.text)) : undefined;
    const sync = token.text === 'SYNC' && token.kind === 'word' && index === statement.tokens.length - 1;
    if (pipePath === undefined && !sync) continue;
    sql += fromByteText(statement.sql.slice(at, token.start));
    if (pipePath !== undefined)
      sql += `(SELECT query_id FROM system.processes WHERE ${writesToPipe(pipePath)} LIMIT 1)`;
    at = token.end;
  }
  return sql + fromByteText(statement.sql.slice(at));
}

/**
 * Condition on system.processes: the read that writes to `pipePath`. Every read has a new path, so a late KILL never
 * stops another read.
 */
export function writesToPipe(pipePath: string): string {
  return `position(query, ${quoted(pipePath)}) > 0 AND query NOT LIKE 'KILL%'`;
}

/** An INSERT that may read files may name no table but the one it inserts into. */
function refuseOtherTables(tokens: readonly Token[], input: number): void {
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'word' || index === input - 1) continue;
    const otherTable =
      token.text === 'FROM' ||
      token.text === 'JOIN' ||
      (token.text === 'IN' && tokens[index + 1]?.text !== '(');
    const listOfTables = index === input && tableListFollows(tokens, input);
    if (otherTable || listOfTables)
      throw storeError(
        48,
        'An INSERT that reads input() can read no other table: insert the data first, join when reading',
      );
  }
}

/** Whether a comma, and so another table, follows `FROM input(…)`. */
function tableListFollows(tokens: readonly Token[], input: number): boolean {
  let depth = 0;
  for (let index = input + 1; index < tokens.length; index += 1) {
    if (tokens[index]?.text === '(') depth += 1;
    if (tokens[index]?.text === ')') depth -= 1;
    if (depth < 0) return false;
    if (
      depth === 0 &&
      tokens[index]?.kind === 'word' &&
      ['WHERE', 'SETTINGS', 'ORDER', 'GROUP', 'LIMIT', 'PREWHERE'].includes(tokens[index]?.text ?? '')
    )
      return false;
    if (depth === 0 && tokens[index]?.text === ',') return true;
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
