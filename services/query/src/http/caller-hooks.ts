/*
 * What every route that answers about requests checks before its own work: no personal filter in the address, who asks, and
 * for changes of the body's kind the same origin. The caller's name stays with the asynchronous context of the request.
 */
import type { Authentication } from '@imscope/access/authentication.js';
import { requireSameOrigin } from '@imscope/access/same-origin.js';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { queryPairs } from '@imscope/runtime/query-parameters.js';
import { PERSONAL_FILTER_NAMES } from '@imscope/schemas/query-api/personal-filters.js';
import type { FastifyInstance } from 'fastify';
import { askFor } from '../store/store-caller.js';

export type CallerOptions = { readonly authentication: Authentication; readonly now: () => number };

export function addCallerHooks(app: FastifyInstance, { authentication, now }: CallerOptions): void {
  app.addHook('onRequest', async (request) => {
    requireNoPersonalFilter(request.raw.url ?? '');
    request.grant = authentication.grantOf(request, now());
    if (request.method === 'POST') requireSameOrigin(request);
  });
  // Not earlier: the context of a request does not survive the reading of its body.
  app.addHook('preHandler', (request, _reply, done) => askFor(request.grant?.name ?? request.ip, done));
}

/** Before anything else, so that the refusal is all that happens with such an address. */
function requireNoPersonalFilter(url: string): void {
  const personal = queryPairs(url).find(([name]) => PERSONAL_FILTER_NAMES.includes(name));
  if (personal === undefined) return;
  throw new HttpError(
    'personal_filter_in_url',
    `${personal[0]} was given in the address of the request, which proxies and browsers keep: send all parameters as a JSON object by POST`,
  );
}
