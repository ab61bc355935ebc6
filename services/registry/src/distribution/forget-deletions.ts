/*
 * Deleted keys stay in the table as null entries for a day, so that receivers that were away learn of them. Then every
 * sink forgets them, and last the table. Entries have revisions and no times, so revisions are noted by the hour.
 */
import { DELETED_ENTRY_KEPT_MS } from '@imscope/schemas/registry-entry.js';
import { HOUR_MS } from '@imscope/schemas/retention.js';
import type { Database } from '@imscope/state/database.js';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { forgetDeleted, readPosition, savePosition } from '../rows/distribution-rows.js';
import { newestRevision } from '../rows/entries.js';
import type { RegistryTables } from '../rows/tables.js';
import { readSinkPosition } from './sink-position.js';

/** The row that holds the notes, beside those of the sinks. */
const NOTES = 'deletions';
const Notes = Type.Object({
  notes: Type.Array(Type.Object({ revision: Type.Integer(), atMs: Type.Integer() })),
});

/**
 * Notes the newest revision, and removes rows of deletions that every sink has forgotten.
 * @param sinks names of all sinks
 * @returns the newest revision that was there a day ago: sinks forget deletions up to it
 */
export async function forgetDeletions(
  database: Database<RegistryTables>,
  sinks: readonly string[],
  nowMs: number,
): Promise<number> {
  const newest = await newestRevision(database.kysely);
  const stored = await readPosition(database.kysely, NOTES);
  const before = stored !== undefined && Value.Check(Notes, stored.detail) ? stored.detail.notes : [];
  const old = before.filter(({ atMs }) => atMs <= nowMs - DELETED_ENTRY_KEPT_MS);
  const cut = old.at(-1)?.revision ?? 0;
  const last = before.at(-1);
  if (last === undefined || nowMs - last.atMs >= HOUR_MS) {
    // The newest of the old ones is the cut until the next is old: some 26 notes in all.
    const notes = [...old.slice(-1), ...before.slice(old.length), { revision: newest, atMs: nowMs }];
    await savePosition(database, NOTES, { revision: newest, detail: { notes } });
  }
  const positions = await Promise.all(sinks.map((sink) => readPosition(database.kysely, sink)));
  const forgotten = Math.min(cut, ...positions.map((position) => readSinkPosition(position)?.forgotten ?? 0));
  if (forgotten > 0) await forgetDeleted(database, forgotten);
  return cut;
}
