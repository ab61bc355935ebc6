/*
 * The entries of a spool segment, as bytes. Every entry is framed by a magic number, its length and a CRC-32 over kind
 * and payload, so that a torn tail and a flipped bit are both detected, and reading continues after a damaged range.
 * Numbers are little-endian.
 */
import { crc32 } from 'node:zlib';

/**
 * `open`: the first of a segment, JSON of `SegmentHead`. `accounts`: a container of edge accounts, the state
 * before this segment. `batch`: see `batch-entry.ts`. `mark`: JSON of `Acknowledged`, which
 * batches Kafka acknowledged. `closed`: the incarnation ended and wrote its final account.
 */
export type EntryKind = 'open' | 'accounts' | 'batch' | 'mark' | 'closed';

const KIND_NUMBERS = { open: 1, accounts: 2, batch: 3, mark: 4, closed: 5 } as const satisfies Record<
  EntryKind,
  number
>;
const KINDS = new Map<number, EntryKind>([
  [1, 'open'],
  [2, 'accounts'],
  [3, 'batch'],
  [4, 'mark'],
  [5, 'closed'],
]);

const MAGIC = Buffer.from('IMW1', 'latin1');
/** Magic 4, kind 4, payload length 4, CRC-32 4. */
export const FRAME_BYTES = 16;
/** Largest payload: accounts of 100,000 applications have some megabytes, batches stay below 1 MB. */
export const PAYLOAD_BYTES_MAX = 64 << 20;

/** An entry ready to be written: the frame and the pieces of its payload, not joined. */
export type EncodedEntry = { readonly pieces: readonly Buffer[]; readonly bytes: number };

export function encodeEntry(kind: EntryKind, parts: readonly Buffer[]): EncodedEntry {
  // zlib restarts at an empty piece, and would lose the checksum of everything before it.
  const payload = parts.filter((piece) => piece.length > 0);
  const frame = Buffer.alloc(FRAME_BYTES);
  const length = payload.reduce((sum, piece) => sum + piece.length, 0);
  MAGIC.copy(frame);
  frame.writeUInt32LE(KIND_NUMBERS[kind], 4);
  frame.writeUInt32LE(length, 8);
  const checksum = payload.reduce((sum, piece) => crc32(piece, sum), crc32(frame.subarray(4, 12)));
  frame.writeUInt32LE(checksum, 12);
  return { pieces: [frame, ...payload], bytes: FRAME_BYTES + length };
}

export function encodeJson(kind: EntryKind, value: unknown): EncodedEntry {
  return encodeEntry(kind, [Buffer.from(JSON.stringify(value))]);
}

export type DecodedEntry = {
  readonly kind: EntryKind;
  /** Where the entry begins in its segment, and its length including the frame. */
  readonly offset: number;
  readonly bytes: number;
  readonly payload: Buffer;
};

/** The complete entry at `offset`; undefined where there is none, or its checksum is wrong. */
export function decodeEntry(segment: Buffer, offset: number): DecodedEntry | undefined {
  if (offset + FRAME_BYTES > segment.length) return undefined;
  if (segment.compare(MAGIC, 0, 4, offset, offset + 4) !== 0) return undefined;
  const kind = KINDS.get(segment.readUInt32LE(offset + 4));
  const length = segment.readUInt32LE(offset + 8);
  const end = offset + FRAME_BYTES + length;
  if (kind === undefined || length > PAYLOAD_BYTES_MAX || end > segment.length) return undefined;
  const payload = segment.subarray(offset + FRAME_BYTES, end);
  const start = crc32(segment.subarray(offset + 4, offset + 12));
  const checksum = length === 0 ? start : crc32(payload, start);
  if (checksum !== segment.readUInt32LE(offset + 12)) return undefined;
  return { kind, offset, bytes: end - offset, payload };
}

/** A range of a segment that holds no entry: a torn tail at its end, damage elsewhere. */
export type DamagedRange = { readonly offset: number; readonly bytes: number; readonly atEnd: boolean };

/** Everything in a segment, in order. After a damaged range reading continues at the next complete entry. */
export function* decodeSegment(segment: Buffer): Generator<DecodedEntry | DamagedRange> {
  let offset = 0;
  while (offset < segment.length) {
    const entry = decodeEntry(segment, offset);
    if (entry !== undefined) {
      yield entry;
      offset += entry.bytes;
      continue;
    }
    const next = nextEntry(segment, offset + 1);
    yield { offset, bytes: (next ?? segment.length) - offset, atEnd: next === undefined };
    offset = next ?? segment.length;
  }
}

function nextEntry(segment: Buffer, from: number): number | undefined {
  for (let at = segment.indexOf(MAGIC, from); at !== -1; at = segment.indexOf(MAGIC, at + 1)) {
    if (decodeEntry(segment, at) !== undefined) return at;
  }
  return undefined;
}
