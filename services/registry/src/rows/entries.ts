/*
 * What is distributed to collectors and query services: one row a key, each with the revision of its last change. The
 * counter's row stays locked until the commit, so revisions are in the order of commits: a reader that has seen revision
 * 7 has seen all before it. Write entries last in a transaction, because the lock makes other changes wait.
 */
import type { ApplicationState } from '@imscope/schemas/registry-api/application.js';
import type { ApplicationStatus } from '@imscope/schemas/application-state.js';
import { type ApplicationEntry, entryKey, type RegistryEntry } from '@imscope/schemas/registry-entry.js';
import { sql } from 'kysely';
import type { Reader, Writer } from './application-rows.js';

const COUNTER = 'entry';
const ROWS_PER_INSERT = 500;

export async function writeEntry(transaction: Writer, entry: RegistryEntry): Promise<void> {
  await writeEntries(transaction, [entry]);
}

export async function writeEntries(transaction: Writer, entries: readonly RegistryEntry[]): Promise<void> {
  await write(
    transaction,
    entries.map((entry) => ({ key: entryKey(entry), text: JSON.stringify(entry) })),
  );
}

export type DefaultsEntry = Extract<RegistryEntry, { kind: 'defaults' }>;

/** Only where they changed: the file that states them is read at each start. */
export async function writeDefaults(transaction: Writer, entry: DefaultsEntry): Promise<void> {
  const row = await transaction
    .selectFrom('entry')
    .select('entry')
    .where('entry_key', '=', entryKey(entry))
    .executeTakeFirst();
  const isNone = entry.quota_per_second === undefined && entry.limit_per_second === undefined;
  if (row === undefined && isNone) return;
  if (row?.entry !== JSON.stringify(entry)) await writeEntry(transaction, entry);
}

/** The key's deletion is distributed like a change. */
export async function deleteEntry(transaction: Writer, key: string): Promise<void> {
  await deleteEntries(transaction, [key]);
}

export async function deleteEntries(transaction: Writer, keys: readonly string[]): Promise<void> {
  await write(
    transaction,
    keys.map((key) => ({ key, text: null })),
  );
}

/**
 * Makes all others that write entries wait until the end of this transaction. Before anything is read in it: then what it
 * reads holds every change that was committed before.
 */
export async function lockEntries(transaction: Writer): Promise<void> {
  await addToCounter(transaction, 0);
}

/** The newest revision; 0 before the first. */
export async function newestRevision(db: Reader): Promise<number> {
  const row = await db.selectFrom('counter').select('value').where('name', '=', COUNTER).executeTakeFirst();
  return row?.value ?? 0;
}

/** What collectors and query services obey of an application. Pure. */
export function applicationEntry(application: {
  readonly sdkAppId: number;
  readonly status: ApplicationStatus;
  readonly state: Pick<ApplicationState, 'details' | 'settings'>;
}): ApplicationEntry {
  const { details, settings } = application.state;
  const { quota_per_second, limit_per_second, logged_share, codes, slo_targets, interfaces } = settings;
  return {
    kind: 'application',
    sdk_app_id: application.sdkAppId,
    status: application.status,
    region: details.data_centre,
    ...(quota_per_second === null ? {} : { quota_per_second }),
    ...(limit_per_second === null ? {} : { limit_per_second }),
    ...(logged_share === 1 ? {} : { logged_share }),
    ...(Object.keys(codes).length === 0 ? {} : { codes }),
    ...(slo_targets.length === 0 ? {} : { slo_targets }),
    ...(interfaces.length === 0 ? {} : { interfaces }),
  };
}

async function write(
  transaction: Writer,
  changes: readonly { readonly key: string; readonly text: string | null }[],
): Promise<void> {
  if (changes.length === 0) return;
  const first = await reserveRevisions(transaction, changes.length);
  const rows = changes.map(({ key, text }, index) => ({
    entry_key: key,
    revision: first + index,
    entry: text,
  }));
  for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
    const part = rows.slice(from, from + ROWS_PER_INSERT);
    // Not an upsert: the dialects name the new values differently.
    await transaction
      .deleteFrom('entry')
      .where(
        'entry_key',
        'in',
        part.map((row) => row.entry_key),
      )
      .execute();
    await transaction.insertInto('entry').values(part).execute();
  }
}

/** @returns the first of this many revisions */
async function reserveRevisions(transaction: Writer, count: number): Promise<number> {
  await addToCounter(transaction, count);
  return (await newestRevision(transaction)) - count + 1;
}

async function addToCounter(transaction: Writer, count: number): Promise<void> {
  await transaction
    .insertInto('counter')
    .values({ name: COUNTER, value: count })
    .onDuplicateKeyUpdate({ value: sql<number>`value + ${count}` })
    .execute();
}
