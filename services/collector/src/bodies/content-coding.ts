/*
 * Reads `Content-Encoding` and decodes a body. A body has one coding; `identity` beside it is allowed. Each decoded chunk is
 * passed to the caller, which bounds the total, before the next one is decoded.
 */
import type { Transform } from 'node:stream';
import { constants, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { HttpError } from '@imscope/runtime/http-errors.js';

export type ContentCoding = 'identity' | 'gzip' | 'deflate' | 'zstd';

/** Names of the codings in `Content-Encoding`, in lower case. */
export const CODINGS: ReadonlyMap<string, ContentCoding> = new Map([
  ['gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['zstd', 'zstd'],
  ['identity', 'identity'],
  // RFC 9110, 8.4.1.3: the same as gzip.
  ['x-gzip', 'gzip'],
]);

/** The `Accept-Encoding` of an answer that refuses a coding (RFC 9110, 12.5.3). */
export const CODINGS_ACCEPTED = [...new Set(CODINGS.values())].join(', ');

/** @throws HttpError unsupported_encoding */
export function contentCoding(header: string | undefined): ContentCoding {
  const codings = (header ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((name) => CODINGS.get(name));
  const applied = codings.filter((coding) => coding !== 'identity');
  const [coding = 'identity', another] = applied;
  if (!applied.includes(undefined) && another === undefined) return coding;
  throw new HttpError(
    'unsupported_encoding',
    `content encoding is "${(header ?? '').slice(0, 100)}": send the body with one of ${CODINGS_ACCEPTED}`,
  );
}

const CHUNK_BYTES = 64 << 10;
/** RFC 9659: a window of at most 8 MB. A frame that needs more is refused before the memory is allocated. */
const ZSTD_WINDOW_LOG_MAX = 23;
/** node:zlib needs a new stream for each frame. Parallel compressors write one frame for some megabytes. */
const ZSTD_FRAMES_MAX = 1_000;
const ZSTD_FRAME_MAGIC = 0xfd2f_b528;
/** 16 magic numbers, 0x184d2a50 to 0x184d2a5f, then 4 bytes of length. */
const SKIPPABLE_MAGIC = 0x184d_2a50;
const SKIPPABLE_HEAD_BYTES = 8;

/**
 * @param onChunk called with each chunk in order; an error it throws ends the decoding and is rethrown
 * @throws HttpError unreadable_body if the bytes are truncated, malformed or followed by others
 */
export async function decode(
  encoded: Buffer,
  coding: Exclude<ContentCoding, 'identity'>,
  onChunk: (chunk: Buffer) => void,
): Promise<void> {
  try {
    if (coding === 'zstd') await decodeFrames(encoded, onChunk);
    else if (coding === 'gzip') await run(createGunzip({ chunkSize: CHUNK_BYTES }), encoded, onChunk);
    else await decodeDeflate(encoded, onChunk);
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new HttpError(
      'unreadable_body',
      `the body is not complete ${coding}, or has bytes after its end: send it again, or without compression`,
      { cause: error },
    );
  }
}

/** `deflate` means zlib (RFC 1950); some clients send raw deflate (RFC 1951). The first two bytes distinguish them. */
async function decodeDeflate(encoded: Buffer, onChunk: (chunk: Buffer) => void): Promise<void> {
  const isZlib =
    encoded.length >= 2 && ((encoded[0] ?? 0) & 0x0f) === 8 && encoded.readUInt16BE(0) % 31 === 0;
  const options = { chunkSize: CHUNK_BYTES };
  const read = await run(isZlib ? createInflate(options) : createInflateRaw(options), encoded, onChunk);
  if (read < encoded.length) throw new Error(`${encoded.length - read} bytes follow the end`);
}

/** A body may have several frames, with skippable frames between them. */
async function decodeFrames(encoded: Buffer, onChunk: (chunk: Buffer) => void): Promise<void> {
  let frames = 0;
  for (let rest = encoded; rest.length > 0; frames++) {
    if (frames >= ZSTD_FRAMES_MAX) throw new Error(`more than ${ZSTD_FRAMES_MAX} frames`);
    const magic = rest.length < 4 ? 0 : rest.readUInt32LE(0);
    if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4 && rest.length >= SKIPPABLE_HEAD_BYTES) {
      const end = SKIPPABLE_HEAD_BYTES + rest.readUInt32LE(4);
      if (end > rest.length) throw new Error('a skippable frame is cut short');
      rest = rest.subarray(end);
    } else if (magic === ZSTD_FRAME_MAGIC) {
      const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX };
      const frame = createZstdDecompress({ chunkSize: CHUNK_BYTES, params });
      rest = rest.subarray(await run(frame, rest, onChunk));
    } else throw new Error('no zstd frame begins here');
  }
}

/** @returns the number of bytes that the decoder consumed up to the end it found */
async function run(
  decoder: Transform & { readonly bytesWritten: number },
  encoded: Buffer,
  onChunk: (chunk: Buffer) => void,
): Promise<number> {
  decoder.end(encoded);
  try {
    for await (const chunk of decoder) onChunk(chunk as Buffer);
    return decoder.bytesWritten;
  } finally {
    decoder.destroy();
  }
}
