/*
 * The sender of a request, by its token. A valid token makes the connection a known one; a request without a valid
 * token counts against its address.
 */
import type { FastifyRequest } from 'fastify';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Grant, Scope } from '@imscope/access/grant.js';
import type { Tokens } from '@imscope/access/tokens.js';
import type { ClientAddresses } from '../clients/client-addresses.js';
import type { Connections } from '../connections/connections.js';
import type { InvalidTokenLimits } from '../limits/invalid-token-limits.js';
import type { Limits } from '../limits/limits.js';

const UNKNOWN_TOKEN: ReadonlySet<string> = new Set(['missing_token', 'invalid_token']);

/** Throws `HttpError` missing_token, invalid_token, not_allowed or too_many_requests. */
export type AuthenticateRequest = (request: FastifyRequest, scope: Scope) => Grant;

export function createAuthenticator(options: {
  readonly authenticate: Tokens['authenticate'];
  readonly connections: Connections;
  readonly clients: ClientAddresses;
  readonly invalidTokens: InvalidTokenLimits;
  readonly refused: Limits['refused'];
}): AuthenticateRequest {
  return (request, scope) => {
    const grant = authenticate(request, scope, options);
    try {
      options.connections.authenticated(request.raw, grant.name);
    } catch (error) {
      options.refused('connections');
      throw error;
    }
    return grant;
  };
}

function authenticate(
  { raw, headers }: FastifyRequest,
  scope: Scope,
  options: Parameters<typeof createAuthenticator>[0],
): Grant {
  try {
    return options.authenticate(headers.authorization, scope);
  } catch (error) {
    // Not while it is unknown which tokens are valid, and not for a valid token of another scope.
    if (error instanceof HttpError && UNKNOWN_TOKEN.has(error.code)) {
      countInvalidToken(options.clients.addressOf(raw) ?? '', options);
    }
    throw error;
  }
}

function countInvalidToken(
  address: string,
  { invalidTokens, refused }: Parameters<typeof createAuthenticator>[0],
): void {
  try {
    invalidTokens.count(address, performance.now());
  } catch (error) {
    refused('address');
    throw error;
  }
}
