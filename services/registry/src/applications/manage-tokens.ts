/*
 * Tokens of gateways, readers and administrators. A token is random and shown once; its hash is kept. An administrator of
 * some applications manages only tokens of these.
 */
import { randomBytes } from 'node:crypto';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { shortened } from '@imscope/runtime/query-parameters.js';
import type { Grant } from '@imscope/access/grant.js';
import { hashToken } from '@imscope/access/tokens.js';
import type { Token, TokenRequest } from '@imscope/schemas/registry-api/tokens.js';
import { transact } from '@imscope/state/transact.js';
import type { Handler } from '../operations/operation-call.js';
import type { Writer } from '../rows/application-rows.js';
import { writeAudit } from '../rows/audit.js';
import { lockEntries } from '../rows/entries.js';
import {
  deleteExpiredTokens,
  deleteToken,
  insertTokens,
  type NewToken,
  readToken,
  readTokens,
  type StoredToken,
  TOKENS_MAX,
} from '../rows/tokens.js';
import type { ApplicationDependencies } from './dependencies.js';
import { escaped } from '@imscope/schemas/registry-api/differences.js';
import { timeOrNull, timeText } from './read-complete.js';

type Managing = Pick<ApplicationDependencies, 'database' | 'hasTokenFile'>;

/** Two, so that one can replace the other without a gap. */
const TOKENS_OF_A_NAME_MAX = 2;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

export function listTokens({ database }: Managing): Handler<'listTokens'> {
  return async ({ caller, nowMs }) => {
    const tokens = await readTokens(database.kysely, nowMs);
    return { tokens: tokens.filter((token) => mayManage(caller, token.applications)).map(tokenAnswer) };
  };
}

export function createToken({ database }: Managing): Handler<'createToken'> {
  return async ({ body, caller, nowMs }) => {
    if (!mayManage(caller, body.applications)) {
      throw new HttpError(
        'not_allowed',
        `"${caller.name}" may create tokens of its own applications alone: give applications among these`,
      );
    }
    const token = randomBytes(32).toString('base64url');
    const created: NewToken = {
      sha256: hashToken(token),
      name: body.name,
      scope: body.scope,
      applications: body.applications === 'all' ? 'all' : body.applications.toSorted((a, b) => a - b),
      createdMs: nowMs,
      expiresMs: expiryOf(body, nowMs),
      recordsPerSecondMax: body.records_per_second_max ?? null,
      origin: 'api',
    };
    const id = await transact(database, async (transaction) => {
      // Two of one name at once would both find it free.
      await lockEntries(transaction);
      await deleteExpiredTokens(transaction, nowMs);
      requireFitting(created, await readTokens(transaction, nowMs));
      await auditToken(transaction, {
        action: 'token.create',
        caller,
        token: created,
        reason: body.reason,
        nowMs,
      });
      const [inserted] = await insertTokens(transaction, [created]);
      return inserted;
    });
    if (id === undefined) throw new Error('a token was created that has no id');
    return { ...tokenAnswer({ ...created, id }), token };
  };
}

export function revokeToken({ database, hasTokenFile }: Managing): Handler<'revokeToken'> {
  return async ({ params: { id }, caller, nowMs }) => {
    const token = await readToken(database.kysely, id);
    // The same answer for a token of others: its existence is not told.
    const missing = new HttpError(
      'not_found',
      `there is no token ${id}, or no longer: list the tokens in force`,
    );
    if (token === undefined || !mayManage(caller, token.applications)) throw missing;
    // Without the file it would stay for ever.
    if (token.origin === 'file' && hasTokenFile) {
      throw new HttpError(
        'wrong_state',
        `token "${token.name}" is stated in REGISTRY_FILE: remove it there, and it ends within seconds`,
      );
    }
    await transact(database, async (transaction) => {
      await auditToken(transaction, { action: 'token.revoke', caller, token, reason: 'revoked', nowMs });
      const isDeleted = await deleteToken(transaction, token);
      if (!isDeleted) throw missing;
    });
    return tokenAnswer(token);
  };
}

/** @throws HttpError already_exists, invalid_parameter, wrong_state */
function requireFitting(created: NewToken, tokens: readonly StoredToken[]): void {
  if (tokens.length >= TOKENS_MAX) {
    throw new HttpError(
      'wrong_state',
      `there are ${tokens.length} tokens, the most there may be: revoke some`,
    );
  }
  const [other, ...more] = tokens.filter(({ name }) => name === created.name);
  if (more.length + 1 >= TOKENS_OF_A_NAME_MAX && other !== undefined) {
    throw new HttpError(
      'already_exists',
      `two tokens are named "${shortened(created.name)}": revoke one, or choose another name`,
    );
  }
  if (other !== undefined && sharedFields(other) !== sharedFields(created)) {
    throw new HttpError(
      'already_exists',
      `a token named "${shortened(created.name)}" has another scope, applications or records_per_second_max: ` +
        'give the same for its replacement, or choose another name',
    );
  }
}

/** Records are counted by the name: the tokens of a name differ in hash and expiry alone. */
function sharedFields({ scope, applications, recordsPerSecondMax }: NewToken): string {
  return JSON.stringify([scope, applications, recordsPerSecondMax]);
}

function expiryOf({ expires_at: expiresAt }: TokenRequest, nowMs: number): number | null {
  if (expiresAt === undefined) return null;
  const expiresMs = RFC_3339.test(expiresAt) ? Date.parse(expiresAt) : Number.NaN;
  if (expiresMs > nowMs) return expiresMs;
  throw new HttpError(
    'invalid_parameter',
    `/expires_at is "${shortened(expiresAt)}": give a time to come in RFC 3339, such as 2030-01-02T03:04:05Z, or leave it out`,
  );
}

async function auditToken(
  transaction: Writer,
  change: {
    readonly action: string;
    readonly caller: Grant;
    readonly token: Pick<NewToken, 'name'>;
    readonly reason: string;
    readonly nowMs: number;
  },
): Promise<void> {
  const { action, caller, token, reason, nowMs } = change;
  const paths = [`/tokens/${escaped(token.name)}`];
  const audited = { atMs: nowMs, actor: caller.name, action, reason, paths };
  await writeAudit(transaction, { ...audited, sdkAppId: null, revision: null });
}

function mayManage(caller: Grant, applications: 'all' | readonly number[]): boolean {
  const own = caller.applications;
  return own === 'all' || (applications !== 'all' && applications.every((id) => own.has(id)));
}

function tokenAnswer(token: StoredToken): Token {
  return {
    id: token.id,
    name: token.name,
    scope: token.scope,
    applications: token.applications === 'all' ? 'all' : [...token.applications],
    created_at: timeText(token.createdMs),
    expires_at: timeOrNull(token.expiresMs),
    records_per_second_max: token.recordsPerSecondMax,
  };
}
