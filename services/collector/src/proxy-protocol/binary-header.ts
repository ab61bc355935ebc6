/*
 * Reads headers of the PROXY protocol version 2: 16 bytes, addresses, then TLV fields. The lengths of fields are checked and
 * their values skipped, except for the checksum, which must be right if present. Source: the specification, section 2.2.
 */
import { ipOfBytes } from '../clients/ip-text.js';
import { crc32c } from './crc32c.js';
import { fault, type ParsedHeader, INCOMPLETE } from './parsed-header.js';

export const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const FIXED_BYTES = 16;
/**
 * After the fixed part: addresses of 12, 36 or 216 bytes, and fields. Host name (255), unique id (128) and the usual TLS fields
 * are below 800 bytes together. A client's complete certificate does not fit and is not needed.
 */
const VARIABLE_BYTES_MAX = 1_024;
export const BINARY_HEADER_BYTES_MAX = FIXED_BYTES + VARIABLE_BYTES_MAX;

const VERSION = 2;
const LOCAL = 0;
const PROXY = 1;
const FAMILY_MAX = 3;
const TRANSPORT_MAX = 2;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
const CHECKSUM_FIELD = 0x03;
const CHECKSUM_BYTES = 4;
const FIELD_HEAD_BYTES = 3;

/** Bytes of both addresses and ports, by family and transport. Other values are valid and have no usable source. */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [TCP_OVER_IPV4, 12],
  [0x12, 12],
  [TCP_OVER_IPV6, 36],
  [0x22, 36],
  [0x31, 216],
  [0x32, 216],
]);

/** @param bytes all bytes of the connection so far */
export function readBinaryHeader(bytes: Buffer): ParsedHeader {
  const begun = Math.min(bytes.length, SIGNATURE.length);
  if (!bytes.subarray(0, begun).equals(SIGNATURE.subarray(0, begun))) return fault('no_header');
  if (bytes.length < FIXED_BYTES) return INCOMPLETE;
  const versionAndCommand = bytes.readUInt8(12);
  const command = versionAndCommand & 0x0f;
  const family = bytes.readUInt8(13);
  if (versionAndCommand >> 4 !== VERSION || command > PROXY) return fault('malformed');
  const variable = bytes.readUInt16BE(14);
  if (variable > VARIABLE_BYTES_MAX) return fault('too_long');
  const length = FIXED_BYTES + variable;
  if (command === PROXY && (family >> 4 > FAMILY_MAX || (family & 0x0f) > TRANSPORT_MAX)) {
    return fault('malformed');
  }
  const addressBytes = command === LOCAL ? undefined : ADDRESS_BYTES.get(family);
  if (addressBytes !== undefined && variable < addressBytes) return fault('malformed');
  if (bytes.length < length) return INCOMPLETE;
  // The content of LOCAL and UNSPEC is undefined, so it is skipped by its length.
  if (addressBytes === undefined) return { kind: 'header', length, source: undefined };
  const header = bytes.subarray(0, length);
  return (
    checkFields(header, FIXED_BYTES + addressBytes) ?? { kind: 'header', length, source: source(header) }
  );
}

/** Undefined for sources that cannot be an HTTP client: UDP, UNIX sockets. */
function source(header: Buffer): string | undefined {
  const family = header.readUInt8(13);
  if (family === TCP_OVER_IPV4) return ipOfBytes(header.subarray(FIXED_BYTES, FIXED_BYTES + 4));
  if (family === TCP_OVER_IPV6) return ipOfBytes(header.subarray(FIXED_BYTES, FIXED_BYTES + 16));
  return undefined;
}

function checkFields(header: Buffer, start: number): ParsedHeader | undefined {
  let at = start;
  while (at < header.length) {
    if (header.length - at < FIELD_HEAD_BYTES) return fault('malformed');
    const value = at + FIELD_HEAD_BYTES;
    const next = value + header.readUInt16BE(at + 1);
    if (next > header.length) return fault('malformed');
    if (header[at] === CHECKSUM_FIELD) {
      if (next - value !== CHECKSUM_BYTES) return fault('malformed');
      const counted = Buffer.from(header).fill(0, value, next);
      if (crc32c(counted) !== header.readUInt32BE(value)) return fault('bad_checksum');
    }
    at = next;
  }
  return undefined;
}
