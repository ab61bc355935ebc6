/*
 * Reads headers of the PROXY protocol version 1: one line of text, `PROXY TCP4 source destination port port`. Strict as the
 * specification: single spaces, no leading zeros, CRLF within 107 bytes as the only line end.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { canonicalIp } from '../clients/ip-text.js';
import { fault, type ParsedHeader, INCOMPLETE } from './parsed-header.js';

/** With CRLF; the maximum of the specification. */
export const TEXT_HEADER_BYTES_MAX = 107;
const START = Buffer.from('PROXY ', 'latin1');
const LINE =
  /^PROXY (?:UNKNOWN(?: [^\r\n]*)?|(TCP[46]) ([\da-fA-F.:]+) ([\da-fA-F.:]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4}))$/;
const PORT_MAX = 65_535;

/** @param bytes all bytes of the connection so far */
export function readTextHeader(bytes: Buffer): ParsedHeader {
  const begun = Math.min(bytes.length, START.length);
  if (!bytes.subarray(0, begun).equals(START.subarray(0, begun))) return fault('no_header');
  const within = bytes.subarray(0, TEXT_HEADER_BYTES_MAX);
  const newline = within.indexOf('\n');
  if (newline === -1) return bytes.length < TEXT_HEADER_BYTES_MAX ? INCOMPLETE : fault('too_long');
  if (within[newline - 1] !== 0x0d) return fault('malformed');
  const match = LINE.exec(within.toString('latin1', 0, newline - 1));
  if (match === null) return fault('malformed');
  const [, family, source = '', destination = '', ...ports] = match;
  const length = newline + 1;
  if (family === undefined) return { kind: 'header', length, source: undefined };
  const isAddress = family === 'TCP4' ? isIPv4 : isIPv6;
  if (!isAddress(source) || !isAddress(destination)) return fault('malformed');
  if (ports.some((port) => Number(port) > PORT_MAX)) return fault('malformed');
  return { kind: 'header', length, source: canonicalIp(source) };
}
