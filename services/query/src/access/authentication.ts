/*
 * Identifies the caller by a bearer token, or by the dashboard's session cookie, which represents a token. In both cases
 * the grant is the one that the applications file gives now.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Grant } from '@imscope/access/grant.js';
import type { Tokens } from '@imscope/access/tokens.js';
import type { FastifyRequest } from 'fastify';
import { SESSION_COOKIE } from './security.js';
import type { SessionSeal } from './session-seal.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller's grant; null for a request without authentication. */
    grant: Grant | null;
  }
}

export type Authentication = {
  /** The grant of a request. Throws `HttpError` missing_token, invalid_token or not_allowed. */
  grantOf(request: FastifyRequest, nowMs: number): Grant;
  /** The grant of a request's session, and its end; undefined without a valid session. */
  sessionOf(request: FastifyRequest, nowMs: number): { grant: Grant; expiresMs: number } | undefined;
};

export function createAuthentication(
  tokens: Pick<Tokens, 'authenticate' | 'find'>,
  seal: SessionSeal,
): Authentication {
  const sessionOf: Authentication['sessionOf'] = (request, nowMs) => {
    const sealed = request.cookies[SESSION_COOKIE];
    const claim = sealed === undefined ? undefined : seal.open(sealed, nowMs);
    const grant = claim === undefined ? undefined : tokens.find(claim.tokenHash, 'read');
    return claim === undefined || grant === undefined ? undefined : { grant, expiresMs: claim.expiresMs };
  };
  return {
    sessionOf,
    grantOf(request, nowMs) {
      const { authorization } = request.headers;
      if (authorization !== undefined || request.cookies[SESSION_COOKIE] === undefined) {
        return tokens.authenticate(authorization, 'read');
      }
      const session = sessionOf(request, nowMs);
      if (session === undefined) {
        throw new HttpError('invalid_token', 'this session is over: sign in again');
      }
      return session.grant;
    },
  };
}

/**
 * A browser also sends cookies with requests that other sites cause, so requests that change state must come from our own
 * pages. Throws `HttpError` not_allowed. Callers other than browsers send neither header.
 */
export function requireSameOrigin(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site'];
  const { origin } = request.headers;
  const sameSite = site === undefined || site === 'same-origin' || site === 'none';
  const sameHost = site !== undefined || origin === undefined || hostOf(origin) === request.host;
  if (sameSite && sameHost) return;
  throw new HttpError(
    'not_allowed',
    'this request comes from another site: send it from the dashboard itself',
  );
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
