/*
 * Where a page of requests ended, as opaque text: the window as it was resolved for the first page, so that
 * `now-1h` does not drift, and the last row's place (time, block, row). A digest binds it to its question: a
 * cursor that was altered, or is given with other filters, is refused.
 */
import { createHash } from 'node:crypto';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { TimeWindow } from '../figures/time-window.js';

export type RowPlace = {
  readonly timeMs: number;
  /** UInt64 as decimal text: it does not fit a number. */
  readonly blockId: string;
  readonly blockRow: number;
};
export type RequestCursor = { readonly window: TimeWindow; readonly after: RowPlace };

const VERSION = 1;
const PLACE_BYTES = 1 + 6 + 6 + 6 + 8 + 4;
const DIGEST_BYTES = 8;

/** @param question text that identifies the question and its filters */
export function encodeCursor({ window, after }: RequestCursor, question: string): string {
  const bytes = Buffer.alloc(PLACE_BYTES);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeUIntBE(window.fromMs, 1, 6);
  bytes.writeUIntBE(window.toMs, 7, 6);
  bytes.writeUIntBE(after.timeMs, 13, 6);
  bytes.writeBigUInt64BE(BigInt(after.blockId), 19);
  bytes.writeUInt32BE(after.blockRow, 27);
  return Buffer.concat([bytes, digestOf(bytes, question)]).toString('base64url');
}

/** Throws `HttpError` invalid_parameter where the text is not a cursor of this question. */
export function decodeCursor(text: string, question: string): RequestCursor {
  const bytes = Buffer.from(text, 'base64url');
  const place = bytes.subarray(0, PLACE_BYTES);
  const genuine =
    bytes.length === PLACE_BYTES + DIGEST_BYTES &&
    bytes.toString('base64url') === text &&
    place.readUInt8(0) === VERSION &&
    bytes.subarray(PLACE_BYTES).equals(digestOf(place, question));
  if (!genuine) throw notOfThisQuestion();
  return {
    window: { fromMs: place.readUIntBE(1, 6), toMs: place.readUIntBE(7, 6) },
    after: {
      timeMs: place.readUIntBE(13, 6),
      blockId: String(place.readBigUInt64BE(19)),
      blockRow: place.readUInt32BE(27),
    },
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
    'cursor is not one of this question: give next_cursor as it came, with the same filters, or none to begin anew',
  );
}

function digestOf(place: Buffer, question: string): Buffer {
  return createHash('sha256').update(place).update(question).digest().subarray(0, DIGEST_BYTES);
}
