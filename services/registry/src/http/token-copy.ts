/*
 * The tokens in force, in memory. Every request first compares the newest revision with that of the copy, by one read of
 * a key, so that a token ends at once, also where another registry revoked it.
 */
import { parseEntryChange } from '@imscope/access/entry-change.js';
import { RegistryCopy } from '@imscope/access/registry-copy.js';
import { createTokens, type Tokens } from '@imscope/access/tokens.js';
import type { Reader } from '../rows/application-rows.js';
import { newestRevision } from '../rows/entries.js';
import { TOKENS_MAX } from '../rows/tokens.js';

/** Those of the API and those of REGISTRY_FILE each have the bound. */
const COPIED_MAX = 2 * TOKENS_MAX;

export type TokenCopy = Tokens & {
  /** Brings the copy to what is committed now. Rejects where the database does not answer. */
  refresh(): Promise<void>;
};

export function createTokenCopy(db: Reader, now: () => number): TokenCopy {
  let copy = new RegistryCopy(COPIED_MAX);
  let revision = 0;
  let last = Promise.resolve();
  const load = async (): Promise<void> => {
    const newest = await newestRevision(db);
    if (newest === revision) return;
    // A database that was restored is older than the copy: it is read again from the start.
    const isOlder = newest < revision;
    const read = isOlder ? new RegistryCopy(COPIED_MAX) : copy;
    for (const change of await tokenChanges(db, isOlder ? 0 : revision)) read.apply(change);
    copy = read;
    revision = newest;
  };
  return {
    ...createTokens((tokenHash) => {
      const grant = copy.grant(tokenHash);
      return grant !== undefined && now() < grant.expiresMs ? grant : undefined;
    }),
    refresh() {
      // One after the other: an older read never overwrites a newer one.
      const loaded = last.catch(() => undefined).then(load);
      last = loaded;
      return loaded;
    },
  };
}

async function tokenChanges(db: Reader, afterRevision: number) {
  const rows = await db
    .selectFrom('entry')
    .selectAll()
    .where('revision', '>', afterRevision)
    .where('entry_key', 'like', 'token/%')
    .orderBy('revision')
    .execute();
  return rows.map(({ entry_key: key, revision, entry }) => {
    const change = parseEntryChange(
      `{"key":${JSON.stringify(key)},"revision":${revision},"entry":${entry ?? 'null'}}`,
      key,
    );
    if (change === undefined) throw new Error(`entry ${key} of revision ${revision} cannot be read`);
    return change;
  });
}
