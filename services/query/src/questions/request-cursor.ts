/*
 * Where a page of requests ended, as opaque text: the window as it was resolved for the first page, so that
 * `now-1h` does not drift, and the last row's place (time, block, row). A digest binds it to its question: a
 * cursor that was altered, or is given with other filters, is refused.
 */
import { createHash } from 'node:crypto';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { PLACE_BYTES, readPlace, type RowPlace, writePlace } from '../figures/row-place.js';
import type { TimeWindow } from '../figures/time-window.js';

export type RequestCursor = { readonly window: TimeWindow; readonly after: RowPlace };

const VERSION = 1;
const HEAD_BYTES = 1 + 6 + 6;
const CONTENT_BYTES = HEAD_BYTES + PLACE_BYTES;
const DIGEST_BYTES = 8;

/** @param question text that identifies the question and its filters */
export function encodeCursor({ window, after }: RequestCursor, question: string): string {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(VERSION, 0);
  head.writeUIntBE(window.fromMs, 1, 6);
  head.writeUIntBE(window.toMs, 7, 6);
  const bytes = Buffer.concat([head, writePlace(after)]);
  return Buffer.concat([bytes, digestOf(bytes, question)]).toString('base64url');
}

/** Throws `HttpError` invalid_parameter where the text is not a cursor of this question. */
export function decodeCursor(text: string, question: string): RequestCursor {
  const bytes = Buffer.from(text, 'base64url');
  const content = bytes.subarray(0, CONTENT_BYTES);
  const genuine =
    bytes.length === CONTENT_BYTES + DIGEST_BYTES &&
    bytes.toString('base64url') === text &&
    content.readUInt8(0) === VERSION &&
    bytes.subarray(CONTENT_BYTES).equals(digestOf(content, question));
  if (!genuine) throw notOfThisQuestion();
  return {
    window: { fromMs: content.readUIntBE(1, 6), toMs: content.readUIntBE(7, 6) },
    after: readPlace(content.subarray(HEAD_BYTES)),
  };
}

/**
 * Anybody can compute the digest, so the place is checked as well: it lies in the window.
 * @throws `HttpError` invalid_parameter
 */
export function requirePlaceInWindow(cursor: RequestCursor): RequestCursor {
  const { window, after } = cursor;
  if (window.fromMs <= after.timeMs && after.timeMs < window.toMs) return cursor;
  throw notOfThisQuestion();
}

function notOfThisQuestion(): HttpError {
  return new HttpError(
    'invalid_parameter',
    'cursor is not one of this question: give next_cursor as it came, with the same filters, or none to begin again',
  );
}

function digestOf(content: Buffer, question: string): Buffer {
  return createHash('sha256').update(content).update(question).digest().subarray(0, DIGEST_BYTES);
}
