/*
 * Signing in and out of the dashboard. A code works once; scripts cannot read the cookie; it is sent to
 * this site only and lasts twelve hours.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Authentication } from '@imscope/access/authentication.js';
import type { Grant } from '@imscope/access/grant.js';
import { requireSameOrigin } from '@imscope/access/same-origin.js';
import { SESSION_COOKIE, type SessionSeal } from '@imscope/access/session-seal.js';
import { hashToken, type Tokens } from '@imscope/access/tokens.js';
import { errorAnswers } from '@imscope/schemas/query-api/error-answers.js';
import type { TokenScope } from '@imscope/schemas/registry-entry.js';
import { Session, SignIn, SignInCode } from '@imscope/schemas/query-api/session.js';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { SMALL_ANSWER } from '../store/answer-bounds.js';
import type { RefusalMetrics } from '../store/refusal-metrics.js';
import { SECURITY } from './security.js';
import type { SignInCodes } from './sign-in-codes.js';
import type { FailureGuard } from '@imscope/access/failure-guard.js';
import { timeText } from '../figures/time-window.js';

const SESSION_TERM_S = 12 * 3_600;

export type SessionRouteOptions = {
  readonly tokens: Pick<Tokens, 'authenticate' | 'find'>;
  readonly authentication: Authentication;
  readonly seal: SessionSeal;
  readonly codes: SignInCodes;
  readonly guard: FailureGuard;
  readonly cookieSecure: boolean;
  readonly metrics: RefusalMetrics;
  readonly now: () => number;
};

const SIGN_IN_CODE = {
  operationId: 'createSignInCode',
  summary: 'A one-use code that signs in to the dashboard, for ten minutes',
  tags: ['session'],
  security: SECURITY.bearer,
  response: { 201: SignInCode, ...errorAnswers(401, 403) },
};
const SIGN_IN = {
  operationId: 'signIn',
  summary: 'Sign in with a one-use code or a read token; sets the session cookie',
  tags: ['session'],
  security: SECURITY.none,
  body: SignIn,
  response: { 200: Session, ...errorAnswers(400, 401, 403, 413, 415, 429) },
};
const WHO = {
  operationId: 'getSession',
  summary: 'Who is signed in',
  tags: ['session'],
  security: SECURITY.session,
  response: { 200: Session, ...errorAnswers(401) },
};
const SIGN_OUT = {
  operationId: 'signOut',
  summary: 'Sign out; clears the session cookie',
  tags: ['session'],
  security: SECURITY.none,
  response: { 204: Type.Null({ description: 'signed out' }), ...errorAnswers(403) },
};

export const sessionRoutes: FastifyPluginAsyncTypebox<SessionRouteOptions> = async (app, options) => {
  const { tokens, authentication, seal, codes, cookieSecure, now } = options;
  const config = { bounds: SMALL_ANSWER };
  const cookie = { path: '/', httpOnly: true, sameSite: 'strict', secure: cookieSecure } as const;

  app.post('/v1/sign-in-codes', { schema: SIGN_IN_CODE, config }, async (request, reply) => {
    const grant = tokens.authenticate(request.headers.authorization, 'read');
    const { code, expiresMs } = codes.issue(grant.tokenHash, now());
    return reply.code(201).send({ code, expires_at: timeText(expiresMs) });
  });

  app.post('/v1/session', { schema: SIGN_IN, config }, async (request, reply) => {
    requireSameOrigin(request);
    const grant = signIn(request, request.body, options);
    const expiresMs = now() + SESSION_TERM_S * 1000;
    const sealed = seal.seal({ tokenHash: grant.tokenHash, expiresMs });
    return reply
      .setCookie(SESSION_COOKIE, sealed, { ...cookie, maxAge: SESSION_TERM_S })
      .send(sessionAnswer(grant, expiresMs));
  });

  app.get('/v1/session', { schema: WHO, config }, async (request) => {
    const session = authentication.sessionOf(request, now());
    if (session === undefined) throw new HttpError('missing_token', 'nobody is signed in: sign in first');
    return sessionAnswer(session.grant, session.expiresMs);
  });

  app.delete('/v1/session', { schema: SIGN_OUT, config }, async (request, reply) => {
    requireSameOrigin(request);
    return reply.clearCookie(SESSION_COOKIE, cookie).code(204).send(null);
  });
};

/** The grant of a code or a token. Throws `HttpError` invalid_token, not_allowed or too_many_requests. */
function signIn(
  request: FastifyRequest,
  body: SignIn,
  { tokens, codes, guard, metrics, now }: SessionRouteOptions,
): Grant {
  const nowMs = now();
  try {
    guard.check(request.ip, nowMs);
  } catch (error) {
    metrics.refused.inc({ reason: 'sign_in_guesses' });
    throw error;
  }
  const tokenHash = 'code' in body ? codes.redeem(body.code, nowMs) : hashToken(body.token);
  const grant = tokenHash === undefined ? undefined : tokens.find(tokenHash, 'read');
  if (grant !== undefined) return grant;
  guard.failed(request.ip, nowMs);
  throw new HttpError(
    'invalid_token',
    'code' in body
      ? 'this sign-in code is not known, was used, or is older than ten minutes: ask for a new one'
      : 'this is no token that may read: check it, or ask for one with scope read',
  );
}

function sessionAnswer(grant: Grant, expiresMs: number): Session {
  return {
    name: grant.name,
    applications: grant.applications === 'all' ? 'all' : [...grant.applications].toSorted((a, b) => a - b),
    scope: scopeOfSession(grant.scope),
    expires_at: timeText(expiresMs),
  };
}

/** A token that signed in may read. */
function scopeOfSession(scope: TokenScope): Session['scope'] {
  return scope === 'write' ? 'read' : scope;
}
