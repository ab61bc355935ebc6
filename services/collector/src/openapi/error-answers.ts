/*
 * The error answers of an operation, made from the codes it may answer: by status, with what each code says and what a
 * sender does then. Statuses come from the one table of codes in `services/runtime`.
 */
import { ERROR_STATUS, type ErrorCode } from '@imscope/runtime/http-errors.js';
import { type TSchema, Type } from 'typebox';
import type { Content, Example, Header, Response } from './operation.js';

/** Nothing of the request was accepted, except where the text says otherwise. */
const MEANINGS = {
  malformed_request: 'it is not an HTTP/1.1 request, or an ambiguous one',
  unreadable_body: 'the body cannot be read as its content type and encoding say: correct the body',
  empty_body: 'the body is empty: send at least one record',
  invalid_parameter: 'a parameter or header has a value that is not allowed: the message names it',
  unknown_parameter: 'a parameter is not known: the message lists those that are',
  missing_token: 'there is no bearer token',
  invalid_token: 'the token is unknown, expired or malformed',
  not_allowed: 'the token has another scope, or is not valid for this application',
  request_timeout: 'the request did not arrive in time: send it again',
  body_too_large: 'the body is larger than a bound: send fewer records a request',
  unsupported_media_type: 'send one of the content types of this document, text in UTF-8',
  unsupported_encoding: 'send one of the content encodings of this document',
  expectation_failed: 'only `Expect: 100-continue` is met',
  too_many_requests: 'a limit is reached: send again after Retry-After',
  headers_too_large: 'request line and headers are larger than 16 KiB, or there are more than 100 headers',
  internal_error: 'this service failed: the request may be repeated, its log has the cause',
  unavailable:
    'nothing was accepted, there is no capacity or the collector is stopping: send again after Retry-After',
  timeout:
    'neither Kafka nor the disk answered in time: some records may be stored; send again with the same Idempotency-Key only',
} as const satisfies Partial<Record<ErrorCode, string>>;

export type DescribedCode = keyof typeof MEANINGS;

const RETRY_AFTER: Header = {
  description: 'seconds to wait before sending again',
  required: true,
  schema: Type.Integer({ minimum: 0 }),
};

/** `{"error":{"code","message"}}` with the codes of one status. */
function errorAnswer(codes: readonly DescribedCode[]): TSchema {
  return Type.Object({ error: Type.Object({ code: Type.Enum([...codes]), message: Type.String() }) });
}

/** The form of every route but OTLP's. */
function ownForm(codes: readonly DescribedCode[]): Content {
  return { 'application/json': { schema: errorAnswer(codes) } };
}

/** Statuses with the codes that have them. */
function byStatus(codes: readonly DescribedCode[]): Map<number, DescribedCode[]> {
  const found = new Map<number, DescribedCode[]>();
  for (const code of codes) {
    const status = ERROR_STATUS[code];
    found.set(status, [...(found.get(status) ?? []), code]);
  }
  return new Map([...found].toSorted(([a], [b]) => a - b));
}

/** Where a request is in doubt, sending it again is safe only under its key. */
const RETRY_AFTER_WITH_KEY: Header = {
  ...RETRY_AFTER,
  description: `${RETRY_AFTER.description}; only where the request had an Idempotency-Key`,
  required: false,
};

const HEADERS: Readonly<Record<number, Readonly<Record<string, Header>>>> = {
  429: { 'Retry-After': RETRY_AFTER },
  503: { 'Retry-After': RETRY_AFTER },
  504: { 'Retry-After': RETRY_AFTER_WITH_KEY },
};

/**
 * The error answers of an operation by status.
 * @param contentOf the form of the answers, by the codes of one status
 */
export function errorResponses(
  codes: readonly DescribedCode[],
  contentOf: (codes: readonly DescribedCode[]) => Content = ownForm,
): Record<string, Response> {
  return Object.fromEntries(
    Array.from(byStatus(codes), ([status, ofStatus]) => [
      String(status),
      {
        description: ofStatus.map((code) => `${code}: ${MEANINGS[code]}`).join('; '),
        headers: HEADERS[status] ?? {},
        content: contentOf(ofStatus),
      },
    ]),
  );
}

/** Adds examples to the answer of one status. */
export function withExamples(
  responses: Readonly<Record<string, Response>>,
  status: number,
  examples: Readonly<Record<string, Example>>,
): Record<string, Response> {
  const response = responses[status];
  const media = response?.content?.['application/json'];
  if (response === undefined || media === undefined) throw new Error(`no JSON answer of status ${status}`);
  const content = { ...response.content, 'application/json': { ...media, examples } };
  return { ...responses, [status]: { ...response, content } };
}

/** The form of an answer that was given before the route was known, whatever the route's own form is. */
export const plainErrorAnswer = errorAnswer;
