/*
 * The client of the query service: `ask('overview', { sdk_app_id: 1400000001, from: 'now-1h' })`. Parameters and data
 * are typed by the question's contract, and what is received is checked against it. Runs in browsers and in Node.js;
 * the transport is an argument.
 */
import { ErrorAnswer } from './envelope.js';
import { PERSONAL_FILTER_NAMES } from './personal-filters.js';
import { findMismatch, matches } from './find-mismatch.js';
import { type AnswerTo, answerSchema, type ParametersOf, type QuestionName, QUESTIONS } from './questions.js';

/** `fetch` is one. `body` is JSON. Rejects where no answer came. */
export type Transport = (
  path: string,
  options: {
    readonly method: 'GET' | 'POST';
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly signal?: AbortSignal;
  },
) => Promise<{ readonly status: number; text(): Promise<string> }>;

export type Ask = <Q extends QuestionName>(
  question: Q,
  parameters: ParametersOf<Q>,
  signal?: AbortSignal,
) => Promise<AnswerTo<Q>>;

/** Codes beside those of the service's own errors. */
export type ClientErrorCode = 'network_unreachable' | 'timed_out' | 'unreadable_answer';

/** No answer to a question. */
export class AskError extends Error {
  /** Of the service's error answer, or a `ClientErrorCode`. */
  readonly code: string;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  /** What was received: the start of its text; empty where no answer came. */
  readonly received: string;

  constructor(code: string, message: string, answer: { status: number; received: string }, cause?: unknown) {
    super(message, { cause });
    this.name = 'AskError';
    this.code = code;
    this.status = answer.status;
    this.received = answer.received;
  }
}

/** An aborted signal rejects with the signal's reason, everything else with AskError. */
export function createAsk(transport: Transport): Ask {
  return async (question, parameters, signal) => {
    const { status, text } = await exchange(transport, requestOf(question, parameters), signal);
    const body = parseJson(text);
    if (status < 200 || status > 299) throw refused(question, status, text, body);
    if (isAnswerTo(question, body)) return body;
    const where = findMismatch(answerSchema(QUESTIONS[question]), body) ?? '';
    throw unreadable(question, status, text, where === '' ? 'it is no JSON object' : `${where} is wrong`);
  };
}

type Value = string | number | readonly string[] | undefined;

/** Path and query of a question. Lists give their parameter more than once; undefined values are left out. */
export function addressOf<Q extends QuestionName>(question: Q, parameters: ParametersOf<Q>): string {
  const search = new URLSearchParams();
  const inPath = new Map<string, string>();
  const { path } = QUESTIONS[question];
  const segments = path.split('/');
  for (const [name, value] of Object.entries<Value>(parameters)) {
    if (segments.includes(`:${name}`)) inPath.set(`:${name}`, encodeURIComponent(String(value)));
    else if (value !== undefined) for (const one of [value].flat()) search.append(name, String(one));
  }
  const filled = segments.map((segment) => inPath.get(segment) ?? segment).join('/');
  return search.size === 0 ? filled : `${filled}?${search.toString()}`;
}

type Request = { readonly address: string; readonly body?: string };

/** A question with a personal filter is asked by POST: addresses are kept in logs and histories. */
function requestOf<Q extends QuestionName>(question: Q, parameters: ParametersOf<Q>): Request {
  if (!PERSONAL_FILTER_NAMES.some((name) => name in parameters)) {
    return { address: addressOf(question, parameters) };
  }
  const { path } = QUESTIONS[question];
  const inPath = path.split('/').flatMap((segment) => (segment.startsWith(':') ? [segment.slice(1)] : []));
  const given = Object.entries<Value>(parameters).filter(([, value]) => value !== undefined);
  const inBody = given.filter(([name]) => !inPath.includes(name));
  const values = new Map(given);
  const address = path.replaceAll(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(String(values.get(name))),
  );
  return { address, body: JSON.stringify(Object.fromEntries(inBody)) };
}

async function exchange(
  transport: Transport,
  { address, body }: Request,
  signal: AbortSignal | undefined,
): Promise<{ status: number; text: string }> {
  try {
    const response = await transport(address, {
      ...(body === undefined
        ? { method: 'GET' }
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body }),
      ...(signal === undefined ? {} : { signal }),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    if (signal?.aborted === true) throw error;
    const isTimeout = error instanceof Error && error.name === 'TimeoutError';
    throw isTimeout
      ? new AskError('timed_out', 'the query service did not answer in time', NO_ANSWER, error)
      : new AskError('network_unreachable', 'the query service cannot be reached', NO_ANSWER, error);
  }
}

function isAnswerTo<Q extends QuestionName>(question: Q, body: unknown): body is AnswerTo<Q> {
  return findMismatch(answerSchema(QUESTIONS[question]), body) === undefined;
}

const NO_ANSWER = { status: 0, received: '' };
const RECEIVED_LENGTH_MAX = 1_000;

function refused(question: QuestionName, status: number, text: string, body: unknown): AskError {
  if (!matches(ErrorAnswer, body)) return unreadable(question, status, text, 'it is no error answer');
  const { code, message } = body.error;
  return new AskError(code, message, { status, received: text.slice(0, RECEIVED_LENGTH_MAX) });
}

function unreadable(question: QuestionName, status: number, text: string, why: string): AskError {
  return new AskError(
    'unreadable_answer',
    `the answer to "${question}" (status ${status}) is not of the expected form: ${why}; client and service may be of different versions`,
    { status, received: text.slice(0, RECEIVED_LENGTH_MAX) },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
