/*
 * The one place that talks to the query service. Every failure becomes a QueryError with a stable code: the
 * service's own, or `network_unreachable`, `timed_out`, `unreadable_answer` where there is none.
 */
import type { Answer, ErrorAnswer } from '@imscope/schemas/query-api/answers.js';

const TIMEOUT_MS = 30_000;

export class QueryError extends Error {
  readonly code: string;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;

  constructor(status: number, code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'QueryError';
    this.status = status;
    this.code = code;
  }
}

/** GET of one question of the query API. Aborting the signal rejects with the signal's reason. */
export async function askQuery<T>(path: string, signal: AbortSignal): Promise<Answer<T>> {
  const body = await sendRequest(path, { method: 'GET', signal });
  if (!isAnswer<T>(body)) throw unreadable(200, path);
  return body;
}

/** Any request to the service; gives the parsed body, or null where the answer has none. */
export async function sendRequest(
  path: string,
  init: { method: 'GET' | 'POST' | 'DELETE'; body?: unknown; signal?: AbortSignal },
): Promise<unknown> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = init.signal === undefined ? timeout : AbortSignal.any([init.signal, timeout]);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (init.body !== undefined) headers['content-type'] = 'application/json';
  try {
    const response = await fetch(path, {
      method: init.method,
      headers,
      signal,
      credentials: 'same-origin',
      cache: 'no-store',
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    });
    const text = await response.text();
    const body = text === '' ? null : parseJson(text, response.status, path);
    if (!response.ok) throw errorOf(response.status, body, path);
    return body;
  } catch (error) {
    if (error instanceof QueryError) throw error;
    if (init.signal?.aborted === true) throw error;
    if (timeout.aborted) {
      throw new QueryError(
        0,
        'timed_out',
        'The query service gave no answer within 30 s. A shorter window asks less of it.',
        error,
      );
    }
    throw new QueryError(
      0,
      'network_unreachable',
      'The query service cannot be reached. Check the network and that it runs.',
      error,
    );
  }
}

function parseJson(text: string, status: number, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreadable(status, path, error);
  }
}

function unreadable(status: number, path: string, cause?: unknown): QueryError {
  const question = path.split('?')[0] ?? path;
  return new QueryError(
    status,
    'unreadable_answer',
    `The answer to ${question} (status ${status.toString()}) is not of the expected form. Reload the page: it may be older than the service.`,
    cause,
  );
}

function errorOf(status: number, body: unknown, path: string): QueryError {
  if (isErrorAnswer(body)) return new QueryError(status, body.error.code, body.error.message);
  return unreadable(status, path);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function isErrorAnswer(body: unknown): body is ErrorAnswer {
  if (!isObject(body) || !isObject(body['error'])) return false;
  return typeof body['error']['code'] === 'string' && typeof body['error']['message'] === 'string';
}

/** The envelope is checked; what stands in it is the service's contract, tested there. */
function isAnswer<T>(body: unknown): body is Answer<T> {
  return isObject(body) && 'data' in body && isObject(body['window']) && isObject(body['completeness']);
}
