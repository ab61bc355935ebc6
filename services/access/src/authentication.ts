/*
 * Identifies the caller by a bearer token, or by the dashboard's session cookie, which represents a token. In both cases
 * the grant is the one in force now. The query service and the registry share it, and with the same SESSION_KEY they
 * accept the same sessions.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { type Grant, type Scope, VERBS } from './grant.js';
import { SESSION_COOKIE, type SessionSeal } from './session-seal.js';
import type { Tokens } from './tokens.js';

/** What of a request identifies its caller. `cookies` are parsed. */
export type IdentifiedRequest = {
  readonly headers: { readonly authorization?: string | undefined };
  readonly cookies: Readonly<Record<string, string | undefined>>;
};

export type Authentication = {
  /** The grant of a request. Throws `HttpError` missing_token, invalid_token or not_allowed. */
  grantOf(request: IdentifiedRequest, nowMs: number): Grant;
  /** The grant of a request's session, and its end; undefined without a valid session. */
  sessionOf(request: IdentifiedRequest, nowMs: number): { grant: Grant; expiresMs: number } | undefined;
};

/** @param scope what the caller must be allowed */
export function createAuthentication(
  tokens: Pick<Tokens, 'authenticate' | 'find'>,
  seal: SessionSeal,
  scope: Scope,
): Authentication {
  const claimOf = (request: IdentifiedRequest, nowMs: number) => {
    const sealed = request.cookies[SESSION_COOKIE];
    return sealed === undefined ? undefined : seal.open(sealed, nowMs);
  };
  const sessionOf: Authentication['sessionOf'] = (request, nowMs) => {
    const claim = claimOf(request, nowMs);
    const grant = claim === undefined ? undefined : tokens.find(claim.tokenHash, scope);
    return claim === undefined || grant === undefined ? undefined : { grant, expiresMs: claim.expiresMs };
  };
  return {
    sessionOf,
    grantOf(request, nowMs) {
      const { authorization } = request.headers;
      if (authorization !== undefined || request.cookies[SESSION_COOKIE] === undefined) {
        return tokens.authenticate(authorization, scope);
      }
      const session = sessionOf(request, nowMs);
      if (session === undefined) throw refusal(claimOf(request, nowMs)?.tokenHash);
      return session.grant;
    },
  };

  /** Everybody who signed in may read, so a session of a valid token that ends here lacks another scope. */
  function refusal(tokenHash: string | undefined): HttpError {
    const reader = tokenHash === undefined ? undefined : tokens.find(tokenHash, 'read');
    return reader === undefined
      ? new HttpError('invalid_token', 'this session is over: sign in again')
      : new HttpError(
          'not_allowed',
          `"${reader.name}" has scope ${reader.scope} and may ${VERBS[reader.scope]}, ` +
            `this address wants a session of a token that may ${VERBS[scope]}: sign in with one of scope ${scope}`,
        );
  }
}
