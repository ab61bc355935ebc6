/*
 * What was distributed of an application: its entry and its tokens. The place is done once every receiver's sink has passed
 * the deletion on.
 */
import type { Database } from '@imscope/state/database.js';
import { transact } from '@imscope/state/transact.js';
import type { Reader, Writer } from '../rows/application-rows.js';
import { deleteEntries, newestRevision, writeEntries } from '../rows/entries.js';
import type { RegistryTables } from '../rows/tables.js';
import { deleteToken, readTokens, type StoredToken, tokenEntry } from '../rows/tokens.js';
import type { PurgeStep } from './purge-places.js';

/** Why a revision has not reached every sink; undefined: it has. */
export type FindUndistributed = (revision: number) => Promise<string | undefined>;

export function purgeDistribution(
  database: Database<RegistryTables>,
  findUndistributed: FindUndistributed,
): PurgeStep {
  return async ({ sdkAppId }, found) => {
    const key = `application/${sdkAppId}`;
    const tokens = await tokensOf(database.kysely, sdkAppId);
    const deleted = tokens.length + ((await isDistributed(database.kysely, key)) ? 1 : 0);
    await found(deleted);
    const revision = await transact(database, async (tx) => {
      for (const token of await tokensOf(tx, sdkAppId)) await takeFrom(tx, token, sdkAppId);
      // Last, so that its revision is above those of the tokens.
      if (await isDistributed(tx, key)) await deleteEntries(tx, [key]);
      return newestRevision(tx);
    });
    const reason = await findUndistributed(revision);
    return reason === undefined ? { kind: 'done', deleted } : { kind: 'open', reason };
  };
}

async function isDistributed(db: Reader, key: string): Promise<boolean> {
  const row = await db.selectFrom('entry').select('entry').where('entry_key', '=', key).executeTakeFirst();
  return row !== undefined && row.entry !== null;
}

/** Those that name the application, also expired ones. */
async function tokensOf(db: Reader, sdkAppId: number): Promise<NamingToken[]> {
  const tokens = await readTokens(db, 0);
  return tokens.flatMap((token) =>
    token.applications !== 'all' && token.applications.includes(sdkAppId)
      ? [{ ...token, applications: token.applications }]
      : [],
  );
}

type NamingToken = StoredToken & { readonly applications: readonly number[] };

/** A token of this application alone ends; others lose it, so that they do not reach a new application of the same id. */
async function takeFrom(tx: Writer, token: NamingToken, sdkAppId: number): Promise<void> {
  const applications = token.applications.filter((one) => one !== sdkAppId);
  if (applications.length === 0) {
    await deleteToken(tx, token);
    return;
  }
  await tx
    .updateTable('token')
    .set({ applications: JSON.stringify(applications) })
    .where('id', '=', token.id)
    .execute();
  await writeEntries(tx, [tokenEntry({ ...token, applications })]);
}
