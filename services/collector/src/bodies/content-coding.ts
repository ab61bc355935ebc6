/*
 * `Content-Encoding`: which coding a body has, and the body without it. One coding a body; `identity` beside it is
 * allowed. Every piece of the result is handed to the caller, which bounds it, before the next one is made.
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

/** For `Accept-Encoding` of an answer that refuses a coding (RFC 9110, 12.5.3). */
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
 * @param onPiece called with each piece in order; what it throws ends the decoding and is thrown
 * @throws HttpError unreadable_body where the bytes are not the whole of what the coding says, and nothing else
 */
export async function decode(
  packed: Buffer,
  coding: Exclude<ContentCoding, 'identity'>,
  onPiece: (piece: Buffer) => void,
): Promise<void> {
  try {
    if (coding === 'zstd') await decodeFrames(packed, onPiece);
    else if (coding === 'gzip') await run(createGunzip({ chunkSize: CHUNK_BYTES }), packed, onPiece);
    else await decodeDeflate(packed, onPiece);
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new HttpError(
      'unreadable_body',
      `the body is not complete ${coding}, or has bytes after its end: send it again, or without compression`,
      { cause: error },
    );
  }
}

/** `deflate` means zlib (RFC 1950); some clients send bare deflate (RFC 1951). The first two bytes tell. */
async function decodeDeflate(packed: Buffer, onPiece: (piece: Buffer) => void): Promise<void> {
  const isZlib = packed.length >= 2 && ((packed[0] ?? 0) & 0x0f) === 8 && packed.readUInt16BE(0) % 31 === 0;
  const options = { chunkSize: CHUNK_BYTES };
  const read = await run(isZlib ? createInflate(options) : createInflateRaw(options), packed, onPiece);
  if (read < packed.length) throw new Error(`${packed.length - read} bytes follow the end`);
}

/** A body may have several frames, one after another, and frames to be skipped between them. */
async function decodeFrames(packed: Buffer, onPiece: (piece: Buffer) => void): Promise<void> {
  let frames = 0;
  for (let rest = packed; rest.length > 0; frames++) {
    if (frames >= ZSTD_FRAMES_MAX) throw new Error(`more than ${ZSTD_FRAMES_MAX} frames`);
    const magic = rest.length < 4 ? 0 : rest.readUInt32LE(0);
    if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4 && rest.length >= SKIPPABLE_HEAD_BYTES) {
      const end = SKIPPABLE_HEAD_BYTES + rest.readUInt32LE(4);
      if (end > rest.length) throw new Error('a skippable frame is cut short');
      rest = rest.subarray(end);
    } else if (magic === ZSTD_FRAME_MAGIC) {
      const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX };
      const frame = createZstdDecompress({ chunkSize: CHUNK_BYTES, params });
      rest = rest.subarray(await run(frame, rest, onPiece));
    } else throw new Error('no zstd frame begins here');
  }
}

/** @returns how many bytes the decoder used up to the end that it found */
async function run(
  decoder: Transform & { readonly bytesWritten: number },
  packed: Buffer,
  onPiece: (piece: Buffer) => void,
): Promise<number> {
  decoder.end(packed);
  try {
    for await (const piece of decoder) onPiece(piece as Buffer);
    return decoder.bytesWritten;
  } finally {
    decoder.destroy();
  }
}
