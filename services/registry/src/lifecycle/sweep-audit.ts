/* Deletes what the audit and the notices have kept for their time. The newest entry of an application goes like any other. */
import type { Database } from '@imscope/state/database.js';
import type { RegistryTables } from '../rows/tables.js';

/** Rows deleted by one statement: short locks, and little to do again after a failure. */
const ROWS_MAX = 1_000;
/** Statements of one pass and table; the rest follows in the next. */
const STATEMENTS_MAX = 100;

/** @returns how many rows were deleted */
export async function sweepAudit(
  { kysely }: Database<RegistryTables>,
  options: { readonly nowMs: number; readonly keptMs: number },
): Promise<number> {
  const beforeMs = options.nowMs - options.keptMs;
  let deleted = 0;
  for (const table of ['audit', 'notice'] as const) {
    for (let statement = 0; statement < STATEMENTS_MAX; statement++) {
      const old = await kysely
        .selectFrom(table)
        .select('id')
        .where('at_ms', '<', beforeMs)
        .orderBy('at_ms')
        .limit(ROWS_MAX)
        .execute();
      if (old.length === 0) break;
      const ids = old.map(({ id }) => id);
      await kysely.deleteFrom(table).where('id', 'in', ids).execute();
      deleted += ids.length;
    }
  }
  return deleted;
}
