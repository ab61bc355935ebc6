/*
 * What both peers' answers have in common: the error envelope, `Retry-After`, and what went wrong before there
 * was any answer.
 */
import { errorMessage } from '@imscope/runtime/error-message.js';
import { ErrorAnswer } from '@imscope/schemas/query-api/envelope.js';
import { errors } from 'undici';
import { Value } from 'typebox/value';

/** Longest a `Retry-After` is followed. */
const RETRY_AFTER_MS_MAX = 30_000;

/** Errors that come before a byte of a request has left: sending again cannot double anything. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The JSON value of a body; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The message of an error answer, or the start of whatever came instead. */
export function answerErrorMessage(status: number, text: string): string {
  const parsed = parseJson(text);
  const message = Value.Check(ErrorAnswer, parsed) ? parsed.error.message : text.trim();
  return printable(`${status}${message === '' ? '' : `: ${message}`}`, 500);
}

/** The error's code of the system or of undici, or its message where it has none. */
export function failureCode(error: unknown): string {
  if (error instanceof AggregateError) return failureCode(error.errors[0]);
  if (error instanceof errors.UndiciError) return error.code;
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return errorMessage(error);
}

export function isNeverSent(error: unknown): boolean {
  return NEVER_SENT.has(failureCode(error));
}

/** `Retry-After` in seconds or as a date → milliseconds, 30 s at most; 0 where there is none. */
export function retryAfterMs(header: string | string[] | undefined, nowMs: number): number {
  if (typeof header !== 'string') return 0;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX) : 0;
}

/** Text from elsewhere as it may stand in a terminal: no control characters, bounded. */
export function printable(text: string, lengthMax: number): string {
  const clean = text.replaceAll(/\p{C}/gu, '\uFFFD');
  return clean.length > lengthMax ? `${clean.slice(0, lengthMax - 1)}…` : clean;
}
