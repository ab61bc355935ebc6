/*
 * Who may call: a bearer token of scope admin, or a session of the dashboard that stands for one. An administrator of some
 * applications reaches only these.
 */
import { createAuthentication } from '@imscope/access/authentication.js';
import type { FailureGuard } from '@imscope/access/failure-guard.js';
import type { Grant } from '@imscope/access/grant.js';
import { requireSameOrigin } from '@imscope/access/same-origin.js';
import type { SessionSeal } from '@imscope/access/session-seal.js';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { FastifyRequest } from 'fastify';
import type { TokenCopy } from './token-copy.js';

export type AuthenticateOptions = {
  readonly tokens: TokenCopy;
  readonly seal: SessionSeal;
  readonly guard: FailureGuard;
  /** Called for each caller that is turned away. */
  readonly onRefused: (reason: string) => void;
  readonly now: () => number;
};

/** The schemes of every operation, as the OpenAPI document names them. */
export const ADMIN_SECURITY = [{ bearer: [] }, { session: [] }];

/** The grant of a request. Rejects with HttpError missing_token, invalid_token, not_allowed or too_many_requests. */
export function createAdminAuthentication(
  options: AuthenticateOptions,
): (request: FastifyRequest) => Promise<Grant> {
  const { tokens, seal, guard, onRefused, now } = options;
  const authentication = createAuthentication(tokens, seal, 'admin');
  return async (request) => {
    await tokens.refresh();
    const nowMs = now();
    try {
      const grant = authentication.grantOf(request, nowMs);
      // A browser sends the cookie with requests of other sites too, but never a bearer token.
      const isBySession = request.headers.authorization === undefined;
      if (isBySession && request.method !== 'GET' && request.method !== 'HEAD') requireSameOrigin(request);
      return grant;
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      onRefused(error.code);
      if (error.code !== 'invalid_token') throw error;
      guard.check(request.ip, nowMs);
      guard.failed(request.ip, nowMs);
      throw error;
    }
  };
}
