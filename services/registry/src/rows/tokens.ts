/*
 * Tokens, known by their SHA-256 alone. A token is a row and an entry: the row is what administrators see, the entry is
 * what collectors and query services obey.
 */
import type { ApplicationsFileContent } from '@imscope/access/applications-file-content.js';
import type { Grant } from '@imscope/access/grant.js';
import type { TokenEntry } from '@imscope/schemas/registry-entry.js';
import type { Selectable } from 'kysely';
import type { Reader, Writer } from './application-rows.js';
import { REGISTRY_ACTOR, writeAudit } from './audit.js';
import { deleteEntries, writeEntries } from './entries.js';
import type { TokenTable } from './tables.js';

export type StoredToken = {
  readonly id: number;
  readonly sha256: string;
  readonly name: string;
  readonly scope: TokenTable['scope'];
  readonly applications: 'all' | readonly number[];
  readonly createdMs: number;
  readonly expiresMs: number | null;
  readonly recordsPerSecondMax: number | null;
  readonly origin: TokenTable['origin'];
};
export type NewToken = Omit<StoredToken, 'id'>;

/** Rows of the table. Beyond it no token is created. */
export const TOKENS_MAX = 10_000;

/** Those that have not expired, in the order of their ids. */
export async function readTokens(db: Reader, nowMs: number): Promise<StoredToken[]> {
  const rows = await db
    .selectFrom('token')
    .selectAll()
    .where(({ or, eb }) => or([eb('expires_ms', 'is', null), eb('expires_ms', '>', nowMs)]))
    .orderBy('id')
    .execute();
  return rows.map(tokenOf);
}

export async function readToken(db: Reader, id: number): Promise<StoredToken | undefined> {
  const row = await db.selectFrom('token').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : tokenOf(row);
}

export async function readTokensNamed(db: Reader, name: string, nowMs: number): Promise<StoredToken[]> {
  return (await readTokens(db, nowMs)).filter((token) => token.name === name);
}

/** Fails by the unique hash where the token exists already. @returns the ids, in the order given */
export async function insertTokens(transaction: Writer, tokens: readonly NewToken[]): Promise<number[]> {
  const ids: number[] = [];
  for (const token of tokens) {
    await transaction
      .insertInto('token')
      .values({
        sha256: token.sha256,
        name: token.name,
        scope: token.scope,
        applications: JSON.stringify(token.applications),
        created_ms: token.createdMs,
        expires_ms: token.expiresMs,
        records_per_second_max: token.recordsPerSecondMax,
        origin: token.origin,
      })
      .execute();
    const { id } = await transaction
      .selectFrom('token')
      .select('id')
      .where('sha256', '=', token.sha256)
      .executeTakeFirstOrThrow();
    ids.push(id);
  }
  await writeEntries(transaction, tokens.map(tokenEntry));
  return ids;
}

/** @returns false where there was none */
export async function deleteToken(
  transaction: Writer,
  token: Pick<StoredToken, 'id' | 'sha256'>,
): Promise<boolean> {
  const { numDeletedRows } = await transaction
    .deleteFrom('token')
    .where('id', '=', token.id)
    .executeTakeFirstOrThrow();
  if (Number(numDeletedRows) === 0) return false;
  await deleteEntries(transaction, [`token/${token.sha256}`]);
  return true;
}

/** Expired tokens are refused by their receivers already: this only frees their rows. @returns how many */
export async function deleteExpiredTokens(transaction: Writer, nowMs: number): Promise<number> {
  const expired = await transaction
    .selectFrom('token')
    .select(['id', 'sha256'])
    .where('expires_ms', '<=', nowMs)
    .execute();
  if (expired.length === 0) return 0;
  await transaction.deleteFrom('token').where('expires_ms', '<=', nowMs).execute();
  await deleteEntries(
    transaction,
    expired.map(({ sha256 }) => `token/${sha256}`),
  );
  return expired.length;
}

/**
 * Makes the tokens of origin `file` those of REGISTRY_FILE: new ones are kept, those without a line there end. Tokens that
 * the API created are left alone.
 * @returns how many were added and removed
 */
export async function syncFileTokens(
  transaction: Writer,
  content: Pick<ApplicationsFileContent, 'grants'>,
  nowMs: number,
): Promise<{ readonly added: number; readonly removed: number }> {
  const rows = await transaction.selectFrom('token').selectAll().execute();
  const stated = new Map([...content.grants].map(([sha256, grant]) => [sha256, tokenOfGrant(grant, nowMs)]));
  const gone = rows
    .map(tokenOf)
    .filter((row) => row.origin === 'file' && !isSame(row, stated.get(row.sha256)));
  const goneHashes = new Set(gone.map(({ sha256 }) => sha256));
  const kept = new Set(rows.map(({ sha256 }) => sha256).filter((sha256) => !goneHashes.has(sha256)));
  const added = [...stated.values()].filter(
    ({ sha256, expiresMs }) => !kept.has(sha256) && (expiresMs ?? nowMs + 1) > nowMs,
  );
  for (const { id } of gone) await transaction.deleteFrom('token').where('id', '=', id).execute();
  const addedHashes = new Set(added.map(({ sha256 }) => sha256));
  await deleteEntries(
    transaction,
    gone.filter(({ sha256 }) => !addedHashes.has(sha256)).map(({ sha256 }) => `token/${sha256}`),
  );
  await insertTokens(transaction, added);
  if (gone.length > 0 || added.length > 0) {
    await writeAudit(transaction, {
      atMs: nowMs,
      actor: REGISTRY_ACTOR,
      action: 'token.sync_file',
      sdkAppId: null,
      reason: `REGISTRY_FILE: ${added.length} tokens added, ${gone.length} removed`,
      paths: [],
      revision: null,
    });
  }
  return { added: added.length, removed: gone.length };
}

/** Pure. */
export function tokenEntry(token: NewToken): TokenEntry {
  return {
    kind: 'token',
    name: token.name,
    sha256: token.sha256,
    scope: token.scope,
    applications: token.applications === 'all' ? 'all' : [...token.applications],
    ...(token.expiresMs === null ? {} : { expires_ms: token.expiresMs }),
    ...(token.recordsPerSecondMax === null ? {} : { records_per_second_max: token.recordsPerSecondMax }),
  };
}

function tokenOfGrant(grant: Grant, nowMs: number): NewToken {
  return {
    sha256: grant.tokenHash,
    name: grant.name,
    scope: grant.scope,
    applications: grant.applications === 'all' ? 'all' : [...grant.applications].toSorted((a, b) => a - b),
    createdMs: nowMs,
    expiresMs: finiteOrNull(grant.expiresMs),
    recordsPerSecondMax: finiteOrNull(grant.recordsPerSecondMax),
    origin: 'file',
  };
}

function isSame(row: NewToken, stated: NewToken | undefined): boolean {
  if (stated === undefined) return false;
  return JSON.stringify(tokenEntry(row)) === JSON.stringify(tokenEntry(stated));
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function tokenOf(row: Selectable<TokenTable>): StoredToken {
  const applications: unknown = JSON.parse(row.applications);
  return {
    id: row.id,
    sha256: row.sha256,
    name: row.name,
    scope: row.scope,
    applications: Array.isArray(applications) ? applications.map(Number) : 'all',
    createdMs: row.created_ms,
    expiresMs: row.expires_ms,
    recordsPerSecondMax: row.records_per_second_max,
    origin: row.origin,
  };
}
