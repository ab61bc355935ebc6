/*
 * What a head may say beyond what Node.js refuses by itself. Whatever two readers of one request could read in two ways
 * is refused, so that nothing is smuggled past a proxy.
 */
import type { IncomingMessage } from 'node:http';
import { HttpError } from '@imscope/runtime/http-errors.js';

/** Headers of one request; ours have about ten. */
export const HEADERS_MAX = 100;

/** Throws `HttpError` malformed_request, headers_too_large or expectation_failed. */
export function checkHead({ httpVersion, headers, headersDistinct, rawHeaders }: IncomingMessage): void {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    throw malformed(`it speaks HTTP/${httpVersion}: send HTTP/1.1`);
  }
  if (rawHeaders.length > 2 * HEADERS_MAX) {
    throw new HttpError(
      'headers_too_large',
      `the request has ${rawHeaders.length / 2} headers: at most ${HEADERS_MAX} are read`,
    );
  }
  const hosts = headersDistinct['host']?.length ?? 0;
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) {
    throw malformed(`it has ${hosts} Host headers: send one`);
  }
  for (const name of ['authorization', 'content-type', 'idempotency-key']) {
    if ((headersDistinct[name]?.length ?? 0) > 1) throw malformed(`it has ${name} more than once: send one`);
  }
  const transferEncoding = headers['transfer-encoding'];
  if (transferEncoding !== undefined && transferEncoding.toLowerCase() !== 'chunked') {
    throw malformed(
      `its transfer encoding is "${transferEncoding.slice(0, 100)}": send chunked, or Content-Length`,
    );
  }
  if (transferEncoding !== undefined && httpVersion === '1.0') {
    throw malformed('HTTP/1.0 has no transfer encodings: send Content-Length');
  }
  const { expect } = headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new HttpError(
      'expectation_failed',
      `it expects "${expect.slice(0, 100)}": only 100-continue is met`,
    );
  }
}

function malformed(why: string): HttpError {
  return new HttpError('malformed_request', `the request cannot be read: ${why}`);
}
