/*
 * The connection to the query service: questions by their contracts, and the session. Every failure is an AskError with
 * a stable code: the service's own, `network_unreachable`, `timed_out`, `unreadable_answer`, or `page_failed`.
 */
import { AskError, createAsk } from '@imscope/schemas/query-api/ask.js';
import { ErrorAnswer } from '@imscope/schemas/query-api/envelope.js';
import { matches } from '@imscope/schemas/query-api/find-mismatch.js';

const TIMEOUT_MS = 30_000;

type Request = { readonly method: string; readonly body?: string; readonly signal?: AbortSignal };

function send(path: string, { method, body, signal }: Request): Promise<Response> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  return fetch(path, {
    method,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    credentials: 'same-origin',
    cache: 'no-store',
    ...(body === undefined ? {} : { body }),
  });
}

/** One question of the query API. Its answer is checked against the question's contract. */
export const ask = createAsk(send);

/** A request about the session. Resolves with the parsed body; null where the answer has none. */
export async function sendSession(method: 'GET' | 'POST' | 'DELETE', credential?: unknown): Promise<unknown> {
  const { status, text } = await exchangeSession(method, credential);
  const body = parseJson(text);
  if (status >= 200 && status <= 299) return body;
  if (matches(ErrorAnswer, body)) throw new AskError(body.error.code, body.error.message, received(status));
  throw new AskError('unreadable_answer', `/v1/session: ${status.toString()}`, received(status));
}

async function exchangeSession(
  method: string,
  credential: unknown,
): Promise<{ status: number; text: string }> {
  try {
    const response = await send('/v1/session', {
      method,
      ...(credential === undefined ? {} : { body: JSON.stringify(credential) }),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const isTimeout = error instanceof Error && error.name === 'TimeoutError';
    throw new AskError(isTimeout ? 'timed_out' : 'network_unreachable', String(error), received(0), error);
  }
}

const received = (status: number) => ({ status, received: '' });

function parseJson(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function asAskError(error: unknown): AskError {
  return error instanceof AskError ? error : new AskError('page_failed', String(error), received(0), error);
}
