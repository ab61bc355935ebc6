/*
 * Classifies a statement by its tokens: its kind, its output format, where the data of an INSERT begins, and which
 * query parameters it uses. Pure. The engine parses the statement again.
 */
import { type Token, tokens } from './sql-tokens.js';
import { storeError } from './store-error.js';

/**
 * - `read` returns rows and changes nothing.
 * - `show` returns few rows and changes nothing; not every such statement accepts INTO OUTFILE.
 * - `insert` adds rows.
 * - `control` must not wait for others (KILL).
 * - `session` changes only the session, so it has no effect on the next request.
 * - `command` is every other statement.
 */
export type StatementKind = 'read' | 'show' | 'insert' | 'command' | 'control' | 'session';

export type Statement = {
  readonly kind: StatementKind;
  /** Byte text (see sql-tokens.ts) of the statement, without the data of an INSERT. */
  readonly sql: string;
  readonly tokens: readonly Token[];
  /** The format the statement names, as written. */
  readonly format: string | undefined;
  /** Position of the word FORMAT (or of VALUES) in `sql`. */
  readonly formatAt: number | undefined;
  /** Where the data of an INSERT begins in the parsed text; undefined where none follows. */
  readonly dataAt: number | undefined;
  /** Names of the `{name:Type}` placeholders. */
  readonly parameters: ReadonlySet<string>;
};

const READS = new Set(['SELECT', 'WITH', 'FROM']);
const SHOWS = new Set(['SHOW', 'DESCRIBE', 'DESC', 'EXISTS', 'EXPLAIN', 'CHECK']);
const SESSION = new Set(['SET', 'USE', 'BEGIN', 'COMMIT', 'ROLLBACK']);
/** Words after which FORMAT is a name and not the clause. */
const NOT_BEFORE_FORMAT = new Set([
  'SELECT',
  'DISTINCT',
  'AS',
  'BY',
  'WHERE',
  'PREWHERE',
  'AND',
  'OR',
  'NOT',
  'ON',
  'IN',
]);

/** Parses the statement at the beginning of `text`. Throws code 62 on several statements or on none. */
export function parseStatement(text: string): Statement {
  const found: Token[] = [];
  const lexer = tokens(text);
  let depth = 0;
  let insert = false;
  let select = false;
  let previous: Token | undefined;
  let ended = false;
  for (const token of lexer) {
    if (token.text === ';' && depth === 0) {
      ended = true;
      continue;
    }
    if (ended)
      throw storeError(62, 'Syntax error: Multi-statements are not allowed; send one statement a request');
    if (depth === 0 && token.kind === 'word') {
      const first = found[0]?.text;
      if (token.text === 'INSERT' && !select && (first === undefined || first === 'WITH')) insert = true;
      if (token.text === 'SELECT') select = true;
      if (insert && token.text === 'VALUES' && !select) {
        return insertWithData(text, found, token, 'Values', token.end);
      }
      if (insert && token.text === 'FORMAT' && mayBeFormatClause(previous)) {
        const name = lexer.next();
        if (
          name.done !== true &&
          name.value.kind === 'word' &&
          name.value.text !== 'FROM' &&
          name.value.text !== 'AS'
        ) {
          const written = text.slice(name.value.start, name.value.end);
          return insertWithData(text, found, token, written, endOfFormatLine(text, name.value.end));
        }
        found.push(token);
        if (name.done === true) break;
        depth += depthStep(name.value);
        found.push(name.value);
        previous = name.value;
        continue;
      }
    }
    depth += depthStep(token);
    found.push(token);
    previous = token;
  }
  return completeStatement(text, found, insert);
}

function depthStep(token: Token): number {
  if (token.kind !== 'symbol') return 0;
  if (token.text === '(' || token.text === '[' || token.text === '{') return 1;
  return token.text === ')' || token.text === ']' || token.text === '}' ? -1 : 0;
}

function mayBeFormatClause(previous: Token | undefined): boolean {
  if (previous === undefined) return false;
  if (previous.kind === 'word') return !NOT_BEFORE_FORMAT.has(previous.text);
  return (
    previous.kind !== 'symbol' ||
    previous.text === ')' ||
    previous.text === ']' ||
    previous.text === '}' ||
    previous.text === '*'
  );
}

/** Blanks and one line break after the format's name do not belong to the data, as on a ClickHouse server. */
function endOfFormatLine(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\f') at += 1;
  if (text[at] === ';') at += 1;
  if (text[at] === '\r') at += 1;
  return text[at] === '\n' ? at + 1 : at;
}

function insertWithData(
  text: string,
  found: readonly Token[],
  clause: Token,
  format: string,
  dataAt: number,
): Statement {
  return {
    kind: 'insert',
    sql: text.slice(0, clause.start),
    tokens: found,
    format,
    formatAt: clause.start,
    dataAt: Math.min(dataAt, text.length),
    parameters: placeholders(text, found),
  };
}

function completeStatement(text: string, found: readonly Token[], insert: boolean): Statement {
  const last = found.at(-1);
  if (last === undefined)
    throw storeError(62, 'Syntax error: Empty query; give a statement in `query` or in the body');
  const clause = formatClause(found);
  return {
    kind: insert ? 'insert' : kindOf(found),
    sql: text.slice(0, last.end),
    tokens: found,
    format: clause === undefined ? undefined : text.slice(clause.name.start, clause.name.end),
    formatAt: clause?.at,
    dataAt: undefined,
    parameters: placeholders(text, found),
  };
}

function kindOf(found: readonly Token[]): StatementKind {
  const words = found.filter((token) => token.text !== '(');
  const first = words[0]?.text ?? '';
  const second = words[1]?.text;
  if (first === 'KILL') return 'control';
  if (SESSION.has(first) || (first === 'CREATE' && second === 'TEMPORARY')) return 'session';
  if (SHOWS.has(first)) return 'show';
  return READS.has(first) ? 'read' : 'command';
}

/** The last `FORMAT name` outside brackets that only SETTINGS may follow. */
function formatClause(found: readonly Token[]): { at: number; name: Token } | undefined {
  let depth = 0;
  let clause: { at: number; name: Token } | undefined;
  for (const [index, token] of found.entries()) {
    depth += depthStep(token);
    const [previous, name, after] = [found[index - 1], found[index + 1], found[index + 2]];
    if (depth !== 0 || token.kind !== 'word' || token.text !== 'FORMAT' || name?.kind !== 'word') continue;
    if (mayBeFormatClause(previous) && (after === undefined || after.text === 'SETTINGS'))
      clause = { at: token.start, name };
  }
  return clause;
}

function placeholders(text: string, found: readonly Token[]): Set<string> {
  const names = new Set<string>();
  for (const [index, token] of found.entries()) {
    const name = found[index + 1];
    if (token.text === '{' && name?.kind === 'word' && found[index + 2]?.text === ':')
      names.add(text.slice(name.start, name.end));
  }
  return names;
}
