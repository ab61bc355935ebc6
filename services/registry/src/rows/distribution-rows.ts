/* What the publisher of entries reads and keeps: entries by revision, and how far each sink is. */
import { type EntryChange, RegistryEntry } from '@imscope/schemas/registry-entry.js';
import type { Database } from '@imscope/state/database.js';
import { transact } from '@imscope/state/transact.js';
import { Compile } from 'typebox/compile';
import type { Reader } from './application-rows.js';
import type { RegistryTables } from './tables.js';

const ENTRY = Compile(RegistryEntry);

/** How far a sink is; `detail` is the sink's own. */
export type StoredPosition = { readonly revision: number; readonly detail: unknown };

/** At most so many changes after a revision, in the order of revisions. */
export async function entriesAfter(db: Reader, revision: number, rowsMax: number): Promise<EntryChange[]> {
  const rows = await db
    .selectFrom('entry')
    .selectAll()
    .where('revision', '>', revision)
    .orderBy('revision')
    .limit(rowsMax)
    .execute();
  return rows.map((row) => ({
    key: row.entry_key,
    revision: row.revision,
    entry: row.entry === null ? null : readEntry(row.entry_key, row.entry),
  }));
}

/** Keys that were deleted after a revision and not after another, the first so many in the order of their deletion. */
export async function deletedKeys(
  db: Reader,
  span: { readonly after: number; readonly upTo: number },
  keysMax: number,
): Promise<{ readonly key: string; readonly revision: number }[]> {
  const rows = await db
    .selectFrom('entry')
    .select(['entry_key', 'revision'])
    .where('entry', 'is', null)
    .where('revision', '>', span.after)
    .where('revision', '<=', span.upTo)
    .orderBy('revision')
    .limit(keysMax)
    .execute();
  return rows.map((row) => ({ key: row.entry_key, revision: row.revision }));
}

/** Removes the rows of keys that were deleted at or before a revision. */
export async function forgetDeleted(database: Database<RegistryTables>, upTo: number): Promise<void> {
  await transact(database, async (transaction) => {
    await transaction.deleteFrom('entry').where('entry', 'is', null).where('revision', '<=', upTo).execute();
  });
}

export async function readPosition(db: Reader, sink: string): Promise<StoredPosition | undefined> {
  const row = await db
    .selectFrom('distribution_position')
    .selectAll()
    .where('sink', '=', sink)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const detail: unknown = JSON.parse(row.detail);
  return { revision: row.revision, detail };
}

export async function savePosition(
  database: Database<RegistryTables>,
  sink: string,
  { revision, detail }: StoredPosition,
): Promise<void> {
  const row = { sink, revision, detail: JSON.stringify(detail) };
  await transact(database, async (transaction) => {
    await transaction
      .insertInto('distribution_position')
      .values(row)
      .onDuplicateKeyUpdate({ revision: row.revision, detail: row.detail })
      .execute();
  });
}

/** @throws Error where a row is not an entry: the registry itself wrote it */
function readEntry(key: string, text: string): RegistryEntry {
  const entry: unknown = JSON.parse(text);
  if (!ENTRY.Check(entry)) throw new Error(`the row of entry ${key} holds no entry`);
  return entry;
}
