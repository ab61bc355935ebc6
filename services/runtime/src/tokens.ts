/*
 * Who may do what: a bearer token stands for a grant, known by its SHA-256 alone. A token may write (gateways) or
 * read (dashboards), for all applications or a list. Where grants come from is another's business: today the
 * registry file.
 */
import { createHash } from 'node:crypto';
import { HttpError } from './http-errors.js';

export type Scope = 'write' | 'read';

/** Whom a request comes from and for which applications it may speak. */
export type Grant = {
  /** One name for all tokens of one sender: what it sends is counted under it, through a rotation as well. */
  readonly name: string;
  readonly scope: Scope;
  readonly applications: 'all' | ReadonlySet<number>;
  /** SHA-256 of the token, as in the file: tells a grant from others of the same name. */
  readonly tokenHash: string;
  /** Records a second, of all tokens of this name together; infinite where there is no limit. */
  readonly recordsPerSecondMax: number;
  /** Not valid from then on, epoch milliseconds; infinite where it does not expire. */
  readonly expiresMs: number;
};

export type Tokens = {
  /** The grant behind an `Authorization` header. Throws `HttpError` missing_token, invalid_token or not_allowed. */
  authenticate(authorization: string | undefined, scope: Scope): Grant;
  /** The grant of a token known by its hash, as sessions carry it; undefined once it is no longer valid. */
  find(tokenHash: string, scope: Scope): Grant | undefined;
};

/** The grant in force of a token's hash. */
export type LookUp = (tokenHash: string) => Grant | undefined;

/** What every service asks of tokens, over whatever keeps the grants. */
export function createTokens(lookUp: LookUp): Tokens {
  return {
    authenticate: (authorization, scope) => authenticate(lookUp, authorization, scope),
    find: (tokenHash, scope) => {
      const grant = lookUp(tokenHash);
      return grant?.scope === scope ? grant : undefined;
    },
  };
}

/** True where a grant speaks for this application. */
export function mayUse(grant: Grant, sdkAppId: number): boolean {
  return grant.applications === 'all' || grant.applications.has(sdkAppId);
}

/** What stands in the registry file for a token. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function authenticate(lookUp: LookUp, authorization: string | undefined, scope: Scope): Grant {
  const token = /^Bearer ([\w\-.~+/]{16,256}=*)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) {
    throw new HttpError('missing_token', 'no bearer token received: send "Authorization: Bearer <token>"');
  }
  // Found by hash, so the time a look-up takes says nothing about any token.
  const grant = lookUp(hashToken(token));
  if (grant === undefined) {
    throw new HttpError('invalid_token', 'this token is not known, or no longer: ask for a new one');
  }
  if (grant.scope !== scope) {
    throw new HttpError(
      'not_allowed',
      `token "${grant.name}" may ${grant.scope}, this address wants one that may ${scope}`,
    );
  }
  return grant;
}
