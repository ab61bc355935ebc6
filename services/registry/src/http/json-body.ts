/* Reads bodies of JSON. Fastify's own reader would keep bytes that are not UTF-8 as other characters. */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { FastifyInstance } from 'fastify';

const DECODER = new TextDecoder('utf-8', { fatal: true });

export function installJsonReading(app: FastifyInstance): void {
  // Refuses members that would change prototypes.
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const text = decoded(body);
    if (text === undefined) {
      done(new HttpError('unreadable_body', 'the body is not UTF-8: convert it. Nothing was changed'));
    } else void parse(request, text, done);
  });
}

function decoded(body: Buffer): string | undefined {
  try {
    return DECODER.decode(body);
  } catch {
    return undefined;
  }
}
