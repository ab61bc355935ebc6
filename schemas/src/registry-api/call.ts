/*
 * The client of the registry's API: `call('getApplication', { params: { sdk_app_id: 1400000001 } })`. Parameters, body and
 * answer are typed by the operation's contract, and what is received is checked against it. Runs in browsers and in
 * Node.js; the transport is an argument.
 */
import { AskError } from '../query-api/ask.js';
import { ErrorAnswer } from '../query-api/envelope.js';
import { findMismatch, matches } from '../query-api/find-mismatch.js';
import {
  type OperationAnswer,
  type OperationBody,
  type OperationName,
  type OperationParams,
  type OperationQuery,
  OPERATIONS,
} from './operations.js';

export type CallOptions = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
};

/** `fetch` is one. Rejects where no answer came. */
export type CallTransport = (
  path: string,
  options: CallOptions,
) => Promise<{ readonly status: number; text(): Promise<string> }>;

/** A member that is required only where it has required members itself. */
type Part<K extends string, T> = [T] extends [undefined]
  ? { readonly [N in K]?: undefined }
  : Record<string, never> extends T
    ? { readonly [N in K]?: T }
    : { readonly [N in K]: T };

type Revision<O extends OperationName> = (typeof OPERATIONS)[O]['ifMatch'] extends true
  ? {
      /** The revision that is changed; where another change came in between the answer is 412 precondition_failed. */
      readonly revision: number;
    }
  : unknown;

/** `contentType` of a body that is text: `text/csv` or `application/x-ndjson`. */
type TextType<O extends OperationName> = (typeof OPERATIONS)[O]['body'] extends 'text'
  ? { readonly contentType: 'text/csv' | 'application/x-ndjson' }
  : unknown;

export type CallInput<O extends OperationName> = Part<'params', OperationParams<O>> &
  Part<'query', OperationQuery<O>> &
  Part<'body', OperationBody<O>> &
  Revision<O> &
  TextType<O>;

export type Call = <O extends OperationName>(
  operation: O,
  input: CallInput<O>,
  signal?: AbortSignal,
) => Promise<OperationAnswer<O>>;

type Input = {
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
  readonly revision?: number;
  readonly contentType?: string;
};

/** An aborted signal rejects with the signal's reason, everything else with `AskError`. */
export function createCall(transport: CallTransport): Call {
  return async (operation, input: Input, signal) => {
    const { method, answer } = OPERATIONS[operation];
    const { status, text } = await exchange(transport, addressOf(operation, input), {
      method,
      ...headersAndBody(input),
      ...(signal === undefined ? {} : { signal }),
    });
    const body = parseJson(text);
    if (status < 200 || status > 299) throw refused(operation, status, text, body);
    if (isAnswerTo(operation, body)) return body;
    const where = findMismatch(answer, body) ?? '';
    throw unreadable(operation, status, text, where === '' ? 'it is no JSON object' : `${where} is wrong`);
  };
}

/** The ETag of a revision, as in `If-Match`. */
export function etagOf(revision: number): string {
  return `"${revision}"`;
}

function addressOf(operation: OperationName, { params, query }: Input): string {
  const path = OPERATIONS[operation].path
    .split('/')
    .map((segment) =>
      segment.startsWith(':') ? encodeURIComponent(textOf(params?.[segment.slice(1)])) : segment,
    )
    .join('/');
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) search.append(name, textOf(value));
  }
  return search.size === 0 ? path : `${path}?${search.toString()}`;
}

function textOf(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new Error('parameters of the registry are text and numbers');
}

function headersAndBody({ body, revision, contentType }: Input): Pick<CallOptions, 'headers' | 'body'> {
  const headers: Record<string, string> = {};
  if (revision !== undefined) headers['if-match'] = etagOf(revision);
  if (body === undefined) return { headers };
  headers['content-type'] = contentType ?? 'application/json';
  return { headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

const NO_ANSWER = { status: 0, received: '' };
const RECEIVED_LENGTH_MAX = 1_000;

async function exchange(
  transport: CallTransport,
  address: string,
  options: CallOptions,
): Promise<{ status: number; text: string }> {
  try {
    const response = await transport(address, options);
    return { status: response.status, text: await response.text() };
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    const isTimeout = error instanceof Error && error.name === 'TimeoutError';
    throw isTimeout
      ? new AskError('timed_out', 'the registry did not answer in time', NO_ANSWER, error)
      : new AskError('network_unreachable', 'the registry cannot be reached', NO_ANSWER, error);
  }
}

function isAnswerTo<O extends OperationName>(operation: O, body: unknown): body is OperationAnswer<O> {
  return findMismatch(OPERATIONS[operation].answer, body) === undefined;
}

function refused(operation: OperationName, status: number, text: string, body: unknown): AskError {
  if (!matches(ErrorAnswer, body)) return unreadable(operation, status, text, 'it is no error answer');
  const { code, message } = body.error;
  return new AskError(code, message, { status, received: text.slice(0, RECEIVED_LENGTH_MAX) });
}

function unreadable(operation: OperationName, status: number, text: string, why: string): AskError {
  return new AskError(
    'unreadable_answer',
    `the answer to "${operation}" (status ${status}) is not of the expected form: ${why}; client and registry may be of different versions`,
    // The answer may hold a new key or token.
    { status, received: status > 299 ? text.slice(0, RECEIVED_LENGTH_MAX) : '' },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
