/*
 * The place of a row in the logs, as opaque text: its time, its block, and its row in the block. It names exactly one row, also
 * where requests carry no id. A checksum distinguishes it from other text.
 */
import { createHash } from 'node:crypto';

export type RowPlace = {
  readonly timeMs: number;
  /** UInt64 as decimal text: it does not fit a number. */
  readonly blockId: string;
  readonly blockRow: number;
};

export const PLACE_BYTES = 6 + 8 + 4;
const CHECKSUM_BYTES = 4;

export function writePlace({ timeMs, blockId, blockRow }: RowPlace): Buffer {
  const bytes = Buffer.alloc(PLACE_BYTES);
  bytes.writeUIntBE(timeMs, 0, 6);
  bytes.writeBigUInt64BE(BigInt(blockId), 6);
  bytes.writeUInt32BE(blockRow, 14);
  return bytes;
}

export function readPlace(bytes: Buffer): RowPlace {
  return {
    timeMs: bytes.readUIntBE(0, 6),
    blockId: String(bytes.readBigUInt64BE(6)),
    blockRow: bytes.readUInt32BE(14),
  };
}

export function encodePlace(place: RowPlace): string {
  const bytes = writePlace(place);
  return Buffer.concat([bytes, checksumOf(bytes)]).toString('base64url');
}

/** Undefined where the text is no place. */
export function decodePlace(text: string): RowPlace | undefined {
  const bytes = Buffer.from(text, 'base64url');
  const place = bytes.subarray(0, PLACE_BYTES);
  const genuine =
    bytes.length === PLACE_BYTES + CHECKSUM_BYTES &&
    bytes.toString('base64url') === text &&
    bytes.subarray(PLACE_BYTES).equals(checksumOf(place));
  return genuine ? readPlace(place) : undefined;
}

function checksumOf(place: Buffer): Buffer {
  return createHash('sha256').update('place').update(place).digest().subarray(0, CHECKSUM_BYTES);
}
