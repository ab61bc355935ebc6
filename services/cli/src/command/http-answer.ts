/*
 * What answers of the collector and of the query service have in common: errors, `Retry-After`, failures of a
 * connection.
 */
import { errorMessage } from '@imscope/runtime/error-message.js';
import { ErrorAnswer } from '@imscope/schemas/query-api/envelope.js';
import { errors } from 'undici';
import { Value } from 'typebox/value';

/** Longest wait for a `Retry-After`. */
const RETRY_AFTER_MS_MAX = 30_000;

/** Errors before the first byte of a request was sent: sending it again cannot duplicate records. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The JSON value of a body; undefined where the body is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The message of an error answer, or the beginning of any other body. */
export function answerErrorMessage(status: number, text: string): string {
  const parsed = parseJson(text);
  const message = Value.Check(ErrorAnswer, parsed) ? parsed.error.message : text.trim();
  return printable(`${status}${message === '' ? '' : `: ${message}`}`, 500);
}

/** The code of a system error or of undici, else the error's message. */
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

/** Foreign text that is safe for a terminal: without control characters, of bounded length. */
export function printable(text: string, lengthMax: number): string {
  const clean = text.replaceAll(/\p{C}/gu, '\uFFFD');
  return clean.length > lengthMax ? `${clean.slice(0, lengthMax - 1)}…` : clean;
}
