/* The terms that a database has after all migrations: the TTL of each table and the clip of each view. */

export type FinalTerm = { readonly kind: 'table' | 'view'; readonly column: string; readonly hours: number };

const TABLE = /^CREATE (?:OR REPLACE )?TABLE (IF NOT EXISTS )?(\w+)/;
const VIEW = /^CREATE (?:OR REPLACE )?VIEW (?:IF NOT EXISTS )?(\w+)/;
const RENAME = /^RENAME TABLE (?:IF EXISTS )?(\w+) TO (\w+)/;
const DROP = /^DROP (?:TABLE|VIEW) (?:IF EXISTS )?(\w+)/;
const MODIFY = /^ALTER TABLE (?:IF EXISTS )?(\w+)/;
const TTL = /\bTTL toDateTime\((\w+)\) \+ INTERVAL (\d+) (DAY|HOUR)/;
const CLIP = /WHERE (\w+) > now64\(3, 'UTC'\) - INTERVAL (\d+) (DAY|HOUR)/;

/** By name of the table or view. Applies the statements in order, so of two that set the same term the last is kept. */
export function finalTerms(statements: readonly string[]): ReadonlyMap<string, FinalTerm> {
  const terms = new Map<string, FinalTerm>();
  for (const sql of statements) {
    const [, ifNotExists, created] = TABLE.exec(sql) ?? [];
    const [, view] = VIEW.exec(sql) ?? [];
    const [, from, to] = RENAME.exec(sql) ?? [];
    const [, dropped] = DROP.exec(sql) ?? [];
    const [, altered] = MODIFY.exec(sql) ?? [];
    if (created !== undefined && !(ifNotExists !== undefined && terms.has(created)))
      setTerm(terms, created, termOf('table', TTL.exec(sql)));
    else if (view !== undefined) setTerm(terms, view, termOf('view', CLIP.exec(sql)));
    else if (altered !== undefined && /\bMODIFY TTL\b/.test(sql))
      setTerm(terms, altered, termOf('table', TTL.exec(sql)));
    else if (altered !== undefined && /\bREMOVE TTL\b/.test(sql)) terms.delete(altered);
    else if (dropped !== undefined) terms.delete(dropped);
    else if (from !== undefined && to !== undefined) {
      setTerm(terms, to, terms.get(from));
      terms.delete(from);
    }
  }
  return terms;
}

function setTerm(terms: Map<string, FinalTerm>, name: string, term: FinalTerm | undefined): void {
  if (term === undefined) terms.delete(name);
  else terms.set(name, term);
}

function termOf(kind: FinalTerm['kind'], found: RegExpExecArray | null): FinalTerm | undefined {
  const [, column, amount, unit] = found ?? [];
  if (column === undefined) return undefined;
  return { kind, column, hours: Number(amount) * (unit === 'DAY' ? 24 : 1) };
}
