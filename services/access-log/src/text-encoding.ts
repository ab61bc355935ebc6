/*
 * Detects the encoding of a file by its first bytes. A UTF-8 byte order mark there does not belong to the first line;
 * elsewhere it is content. UTF-16 and UTF-32 are not supported.
 */

/** Bytes that the detection needs. */
export const ENCODING_BYTES = 4;

/** Bytes of a UTF-8 byte order mark that the file begins with: 3 or 0. */
export function byteOrderMarkBytes(first: Uint8Array): number {
  return first[0] === 0xef && first[1] === 0xbb && first[2] === 0xbf ? 3 : 0;
}

/** The name of an encoding other than UTF-8; undefined where the file may be UTF-8. */
export function foreignEncoding(first: Uint8Array): string | undefined {
  const [a, b, c, d] = first;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'UTF-32LE' : 'UTF-16LE';
  if (a === 0xfe && b === 0xff) return 'UTF-16BE';
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return 'UTF-32BE';
  if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
  // Without a mark: every other byte of ASCII text is NUL. A file that was cut off under its writer begins with NULs only.
  if (a !== 0 && b === 0 && c !== 0 && d === 0) return 'UTF-16LE';
  if (a === 0 && b !== 0 && c === 0 && d !== 0) return 'UTF-16BE';
  return undefined;
}
