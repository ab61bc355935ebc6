/*
 * Where a page of the fleet ended, as opaque text: the window as it was resolved for the first page, and how many
 * applications came before. A digest binds it to its question: a cursor that was altered, or is given with other filters,
 * is refused.
 */
import { createHash } from 'node:crypto';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { TimeWindow } from '../figures/time-window.js';

export type FleetCursor = { readonly window: TimeWindow; readonly offset: number };

const VERSION = 1;
const PLACE_BYTES = 1 + 6 + 6 + 4;
const DIGEST_BYTES = 8;

/** @param question text that identifies the question, its filters and its order */
export function encodeFleetCursor({ window, offset }: FleetCursor, question: string): string {
  const bytes = Buffer.alloc(PLACE_BYTES);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeUIntBE(window.fromMs, 1, 6);
  bytes.writeUIntBE(window.toMs, 7, 6);
  bytes.writeUInt32BE(offset, 13);
  return Buffer.concat([bytes, digestOf(bytes, question)]).toString('base64url');
}

/** Throws `HttpError` invalid_parameter where the text is not a cursor of this question. */
export function decodeFleetCursor(text: string, question: string): FleetCursor {
  const bytes = Buffer.from(text, 'base64url');
  const place = bytes.subarray(0, PLACE_BYTES);
  const genuine =
    bytes.length === PLACE_BYTES + DIGEST_BYTES &&
    bytes.toString('base64url') === text &&
    place.readUInt8(0) === VERSION &&
    bytes.subarray(PLACE_BYTES).equals(digestOf(place, question));
  const window = genuine ? { fromMs: place.readUIntBE(1, 6), toMs: place.readUIntBE(7, 6) } : undefined;
  // Anybody can compute the digest.
  if (window !== undefined && window.fromMs < window.toMs) return { window, offset: place.readUInt32BE(13) };
  throw new HttpError(
    'invalid_parameter',
    'cursor is not one of this question: give next_cursor as it came, with the same filters and order, or none to begin again',
  );
}

function digestOf(place: Buffer, question: string): Buffer {
  return createHash('sha256').update(place).update(question).digest().subarray(0, DIGEST_BYTES);
}
