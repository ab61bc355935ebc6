/*
 * Authentication with bearer tokens: an `Authorization` header becomes a grant. Tokens are known by their SHA-256
 * alone. The caller supplies the grants in force, as a look-up by that hash.
 */
import { createHash } from 'node:crypto';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { permits } from '@imscope/schemas/registry-entry.js';
import { type Grant, requireScope, type Scope } from './grant.js';

export type Tokens = {
  /**
   * The grant of an `Authorization` header. Throws `HttpError` missing_token, invalid_token or not_allowed, or
   * unavailable while it is unknown which tokens are valid.
   */
  authenticate(authorization: string | undefined, scope: Scope): Grant;
  /**
   * The grant of a token's hash, as session cookies carry it; undefined where no such grant is in force. Throws
   * `HttpError` unavailable while that is unknown.
   */
  find(tokenHash: string, scope: Scope): Grant | undefined;
};

/** The grant in force of a token's hash. Throws `HttpError` unavailable while it is unknown which are in force. */
export type LookUpGrant = (tokenHash: string) => Grant | undefined;

export function createTokens(lookUp: LookUpGrant): Tokens {
  return {
    authenticate: (authorization, scope) => authenticate(lookUp, authorization, scope),
    find: (tokenHash, scope) => {
      const grant = lookUp(tokenHash);
      return grant !== undefined && permits(grant.scope, scope) ? grant : undefined;
    },
  };
}

/** The SHA-256 of a token in hex, as in the applications file. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function authenticate(lookUp: LookUpGrant, authorization: string | undefined, scope: Scope): Grant {
  const token = /^Bearer ([\w\-.~+/]{16,256}=*)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) {
    throw new HttpError('missing_token', 'no bearer token received: send "Authorization: Bearer <token>"');
  }
  // A look-up by hash takes a time that reveals nothing about the token.
  const grant = lookUp(hashToken(token));
  if (grant === undefined) {
    throw new HttpError('invalid_token', 'this token is not known, or no longer: ask for a new one');
  }
  requireScope(grant, scope);
  return grant;
}
