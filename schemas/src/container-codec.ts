/*
 * Compression of the blocks of a container. Zstandard is written; deflate was written before and stays readable. The
 * size that compressed bytes can have at most is known before decompressing, so a decompression bomb is never decompressed.
 */
import { constants, inflateRawSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Fallible } from './container-fault.js';

/** Avro's names. */
export const CODECS = ['zstandard', 'deflate'] as const;
export type Codec = (typeof CODECS)[number];

/** What is written today. Level 1 costs a third of deflate's level 1, packs a little better, unpacks four times as fast. */
export const WRITTEN_CODEC: Codec = 'zstandard';
const ZSTD_OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Packs in `WRITTEN_CODEC`: one frame, with the size of its content in front. */
export function pack(plain: Buffer): Buffer {
  return zstdCompressSync(plain, ZSTD_OPTIONS);
}

/** @returns `too_large` where there are more than `bytesMax`, `bad_packing` where they cannot be decompressed */
export function unpack(codec: Codec, packed: Buffer, bytesMax: number): Fallible<{ bytes: Buffer }> {
  const options = {
    maxOutputLength: Math.max(1, bytesMax),
    chunkSize: chunkSizeFor(codec, packed, bytesMax),
  };
  try {
    const bytes = codec === 'deflate' ? inflateRawSync(packed, options) : zstdDecompressSync(packed, options);
    return { ok: true, bytes };
  } catch (error) {
    return { ok: false, fault: error instanceof RangeError ? 'too_large' : 'bad_packing' };
  }
}

/** zlib's own. */
const CHUNK_BYTES = 16 << 10;
const CHUNK_BYTES_MAX = 1 << 20;

/** Size of the output buffer: all of it where a frame states its size, so that there is one round and nothing to join. */
function chunkSizeFor(codec: Codec, packed: Buffer, bytesMax: number): number {
  const content = codec === 'zstandard' ? zstdContentBytes(packed) : undefined;
  // One more, so that the end is seen without another round.
  return Math.max(CHUNK_BYTES, Math.min((content ?? 0) + 1, bytesMax, CHUNK_BYTES_MAX));
}

/** Deflate makes at most 258 bytes of two bits: 1032 of one. */
const DEFLATE_RATIO_MAX = 1_032;

/** The most bytes after decompressing, without decompressing; undefined where that cannot be known. */
export function unpackedBytesMax(codec: Codec, packed: Buffer): number | undefined {
  return codec === 'deflate' ? packed.length * DEFLATE_RATIO_MAX : zstdContentBytes(packed);
}

const ZSTD_MAGIC = 0xfd2fb528;
const ZSTD_DICTIONARY_BYTES = [0, 1, 2, 4];
const CHECKSUM_BYTES = 4;

/**
 * The size of its content that a frame names; no unpacker makes more of it. Undefined unless the bytes are one frame
 * that names it and wants no dictionary: readers differ about several, about none, and about what follows the last.
 * RFC 8878, section 3.1.1.
 */
function zstdContentBytes(packed: Buffer): number | undefined {
  if (packed.length < 6 || packed.readUInt32LE(0) !== ZSTD_MAGIC) return undefined;
  const descriptor = packed[4] ?? 0;
  const singleSegment = (descriptor & 0x20) !== 0;
  const reserved = (descriptor & 0x08) !== 0;
  const dictionaryBytes = ZSTD_DICTIONARY_BYTES[descriptor & 0x03] ?? 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? Number(singleSegment) : 2 ** sizeFlag;
  const sizeAt = 5 + Number(!singleSegment) + dictionaryBytes;
  const blocksAt = sizeAt + sizeBytes;
  if (reserved || dictionaryBytes > 0 || sizeBytes === 0 || blocksAt > packed.length) return undefined;
  const end = endOfZstdBlocks(packed, blocksAt);
  const checksumBytes = (descriptor & 0x04) === 0 ? 0 : CHECKSUM_BYTES;
  if (end === undefined || end + checksumBytes !== packed.length) return undefined;
  if (sizeBytes === 8) return Number(packed.readBigUInt64LE(sizeAt));
  return packed.readUIntLE(sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}

/** Walks over the blocks by their headers: 3 bytes each, 1 bit "last", 2 bits kind, 21 bits size. */
function endOfZstdBlocks(packed: Buffer, from: number): number | undefined {
  for (let position = from; position + 3 <= packed.length;) {
    const header = packed.readUIntLE(position, 3);
    const kind = (header >> 1) & 0x03;
    // Kind 1 repeats one byte as often as the size says; kind 3 is none.
    if (kind === 3) return undefined;
    position += 3 + (kind === 1 ? 1 : header >> 3);
    if ((header & 1) === 1) return position;
  }
  return undefined;
}
