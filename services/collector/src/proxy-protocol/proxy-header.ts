/*
 * A PROXY header of either version, told apart by the first byte. Pure, and asked again with each piece that arrives:
 * at most 1,040 times 1,040 bytes for a sender that sends them one by one.
 */
import { BINARY_HEADER_BYTES_MAX, readBinaryHeader, SIGNATURE } from './binary-header.js';
import { type HeaderReading, INCOMPLETE } from './header-reading.js';
import { readTextHeader, TEXT_HEADER_BYTES_MAX } from './text-header.js';

/** Whatever is sent, a header is whole or a fault within so many bytes. */
export const HEADER_BYTES_MAX = Math.max(BINARY_HEADER_BYTES_MAX, TEXT_HEADER_BYTES_MAX);

/** @param bytes all bytes of the connection so far */
export function readProxyHeader(bytes: Buffer): HeaderReading {
  if (bytes.length === 0) return INCOMPLETE;
  return bytes[0] === SIGNATURE[0] ? readBinaryHeader(bytes) : readTextHeader(bytes);
}
