/*
 * The connection to the registry, through the query service: operations by their contracts. Every failure is an AskError
 * with a stable code, as of `ask-service.ts`.
 */
import { createCall } from '@imscope/schemas/registry-api/call.js';

const TIMEOUT_MS = 30_000;

export const call = createCall((path, { method, headers, body, signal }) => {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  return fetch(path, {
    method,
    headers: { accept: 'application/json', ...headers },
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    credentials: 'same-origin',
    cache: 'no-store',
    ...(body === undefined ? {} : { body }),
  });
});
