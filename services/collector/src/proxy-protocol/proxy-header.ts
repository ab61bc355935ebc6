/*
 * Reads a PROXY header of either version; the first byte distinguishes them. Pure. Called again with all bytes for each chunk
 * that arrives: at most 1,040 times 1,040 bytes for a peer that sends single bytes.
 */
import { BINARY_HEADER_BYTES_MAX, readBinaryHeader, SIGNATURE } from './binary-header.js';
import { type ParsedHeader, INCOMPLETE } from './parsed-header.js';
import { readTextHeader, TEXT_HEADER_BYTES_MAX } from './text-header.js';

/** After so many bytes the result is a header or a fault. */
export const HEADER_BYTES_MAX = Math.max(BINARY_HEADER_BYTES_MAX, TEXT_HEADER_BYTES_MAX);

/** @param bytes all bytes of the connection so far */
export function readProxyHeader(bytes: Buffer): ParsedHeader {
  if (bytes.length === 0) return INCOMPLETE;
  return bytes[0] === SIGNATURE[0] ? readBinaryHeader(bytes) : readTextHeader(bytes);
}
