/*
 * Receives a request's body and decodes it within bounds. Every chunk is reserved in the byte budget before it is kept, so
 * that neither a large body nor a decompression bomb can fill the memory.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { sendContinue } from '../connections/http-listener.js';
import { type ContentCoding, contentCoding, decode } from './content-coding.js';
import { ChunkBuffer } from './chunk-buffer.js';

export type BodyFormat = 'json' | 'ndjson' | 'avro' | 'otlp-protobuf' | 'otlp-json';
export type BodyForm = { readonly format: BodyFormat; readonly coding: ContentCoding };

export type BodyBounds = { readonly bytesMax: number; readonly inflatedBytesMax: number };

/** The formats of one address by media type, in lower case. */
export type BodyFormats = ReadonlyMap<string, BodyFormat>;

const CHARSETS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);

/** The format and coding that the headers declare. @throws HttpError unsupported_media_type or unsupported_encoding */
export function bodyForm(headers: IncomingHttpHeaders, formats: BodyFormats): BodyForm {
  const [mediaType = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';');
  const format = formats.get(mediaType.trim());
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/.exec(parameter)?.[1])
    .find((found) => found !== undefined);
  if (format === undefined) {
    throw new HttpError(
      'unsupported_media_type',
      `content type is "${(headers['content-type'] ?? '').slice(0, 100)}": send one of ${[...formats.keys()].join(', ')}, text in UTF-8`,
    );
  }
  if (charset !== undefined && !CHARSETS.has(charset)) {
    throw new HttpError(
      'unsupported_media_type',
      `charset is "${charset.slice(0, 100)}": send text in UTF-8, and charset=utf-8 or no charset`,
    );
  }
  return { format, coding: contentCoding(headers['content-encoding']) };
}

/**
 * @param coding as the headers declare
 * @param reserve called with the size of each chunk before the chunk is kept; throws to refuse it
 * @returns the decoded body, and the number of bytes received for it
 * @throws HttpError body_too_large, unreadable_body, empty_body or what `reserve` throws
 */
export async function readBody(
  request: IncomingMessage,
  coding: ContentCoding,
  bounds: BodyBounds,
  reserve: (bytes: number) => void,
): Promise<{ body: Buffer; bytesReceived: number }> {
  const declared = Number(request.headers['content-length'] ?? 0);
  try {
    if (declared > bounds.bytesMax) throw tooLarge('received', bounds.bytesMax, 'BODY_BYTES_MAX');
    sendContinue(request);
    const received = await collect(request, reserve, (size) => {
      if (size > bounds.bytesMax) throw tooLarge('received', bounds.bytesMax, 'BODY_BYTES_MAX');
    });
    const body =
      coding === 'identity' ? received : await inflate(received, coding, bounds.inflatedBytesMax, reserve);
    return { body, bytesReceived: received.length };
  } catch (error) {
    // Discards the rest of the body, so that the client can finish sending and reads the answer.
    request.resume();
    if (error instanceof HttpError) throw error;
    throw new HttpError('unreadable_body', 'the connection ended before the body did: send it again', {
      cause: error,
    });
  }
}

async function inflate(
  encoded: Buffer,
  coding: Exclude<ContentCoding, 'identity'>,
  bytesMax: number,
  reserve: (bytes: number) => void,
): Promise<Buffer> {
  const chunks = new ChunkBuffer();
  await decode(encoded, coding, (chunk) => {
    if (chunks.length + chunk.length > bytesMax) {
      throw tooLarge('inflated', bytesMax, 'BODY_INFLATED_BYTES_MAX');
    }
    reserve(chunk.length);
    chunks.add(chunk);
  });
  return chunks.concat();
}

/** Does not destroy the stream on an error: the answer is still to be sent over the request's socket. */
async function collect(
  stream: Readable,
  reserve: (bytes: number) => void,
  checkSize: (size: number) => void,
): Promise<Buffer> {
  const chunks = new ChunkBuffer();
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    const bytes = chunk as Buffer;
    checkSize(chunks.length + bytes.length);
    reserve(bytes.length);
    chunks.add(bytes);
  }
  return chunks.concat();
}

function tooLarge(what: string, bytesMax: number, setting: string): HttpError {
  return new HttpError(
    'body_too_large',
    `the ${what} body has more than ${bytesMax} bytes (${setting}): send fewer records a request, 500 to 5000 are good`,
  );
}
