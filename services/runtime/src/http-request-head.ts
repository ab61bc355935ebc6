/*
 * Checks the head of a request beyond what the parser of Node.js checks. A head that two readers could understand
 * differently is refused, so that no request can be smuggled past a proxy.
 */
import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-errors.js';

/** Headers of one request; our clients send about ten. */
export const HEADERS_MAX = 100;

const SINGLE_HEADERS = ['authorization', 'content-type', 'idempotency-key'];

type Head = Pick<IncomingMessage, 'httpVersion' | 'headers' | 'rawHeaders'>;

/** Throws `HttpError` malformed_request, headers_too_large or expectation_failed. */
export function checkHead({ httpVersion, headers, rawHeaders }: Head): void {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    throw malformed(`it speaks HTTP/${httpVersion}: send HTTP/1.1`);
  }
  if (rawHeaders.length > 2 * HEADERS_MAX) {
    throw new HttpError(
      'headers_too_large',
      `the request has ${rawHeaders.length / 2} headers: at most ${HEADERS_MAX} are read`,
    );
  }
  const hosts = countOf('host', rawHeaders);
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) {
    throw malformed(`it has ${hosts} Host headers: send one`);
  }
  for (const name of SINGLE_HEADERS) {
    if (countOf(name, rawHeaders) > 1) throw malformed(`it has ${name} more than once: send one`);
  }
  checkTransferEncoding(headers['transfer-encoding'], httpVersion);
  const { expect } = headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new HttpError(
      'expectation_failed',
      `it expects "${expect.slice(0, 100)}": only 100-continue is supported`,
    );
  }
}

function checkTransferEncoding(encoding: string | undefined, httpVersion: string): void {
  if (encoding === undefined) return;
  if (encoding.toLowerCase() !== 'chunked') {
    throw malformed(`its transfer encoding is "${encoding.slice(0, 100)}": send chunked, or Content-Length`);
  }
  if (httpVersion === '1.0') {
    throw malformed('HTTP/1.0 has no transfer encodings: send Content-Length');
  }
}

/** How often a header occurs. @param rawHeaders names and values alternately */
function countOf(name: string, rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === name) count += 1;
  }
  return count;
}

function malformed(why: string): HttpError {
  return new HttpError('malformed_request', `the request cannot be read: ${why}`);
}
