/*
 * Decompresses a gzip file member by member. Content before a fault is yielded before the fault is thrown; zlib's own
 * gzip stream discards it. Bytes after the last member do not affect its lines.
 */
import { crc32, createInflateRaw, type InflateRaw } from 'node:zlib';

/** The content ends before the file does. */
export class GzipFault extends Error {}

/** Filled in when the content was read. */
export type GzipEnd = {
  /** Describes bytes after the last complete member that are not gzip data; undefined where there are none. */
  trailing: string | undefined;
};

/** Compressed bytes decoded in one step. Deflate expands a byte to at most 1,032: 17 MB. */
const PIECE_BYTES = 16 << 10;
/** A piece with a fault is decoded again in steps of this size: only the content of the last step is lost. */
const FAULTY_PIECE_BYTES = 16;
const OUTPUT_BYTES = 64 << 10;
/** A header may contain a name and a comment of any length; gzip writes the name of the file. */
const HEADER_BYTES_MAX = 64 << 10;
const TRAILER_BYTES = 8;
const SHOWN_BYTES = 16;

const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;

/** @throws GzipFault where a member is damaged or incomplete, after all content decoded before the fault */
export async function* gunzipMembers(chunks: AsyncIterable<Buffer>, end: GzipEnd): AsyncGenerator<Buffer> {
  const source = new Source(chunks);
  for (;;) {
    yield* member(source);
    await source.skipZeros();
    const next = await source.peek(2);
    if (next.length === 0) return;
    if (isGzip(next)) continue;
    const shown = (await source.peek(SHOWN_BYTES)).toString('latin1');
    const { position } = source;
    const bytes = await source.drain();
    end.trailing = `${bytes} bytes after the last gzip member, from byte ${position} on, are not gzip data: they begin with ${JSON.stringify(shown)}`;
    return;
  }
}

export function isGzip(first: Uint8Array): boolean {
  return first[0] === 0x1f && first[1] === 0x8b;
}

async function* member(source: Source): AsyncGenerator<Buffer> {
  const started = source.position;
  await readHeader(source);
  const inflate = createInflateRaw({ chunkSize: OUTPUT_BYTES });
  // One piece behind `inflate`, so that it still has the state before a faulty piece; zlib cannot copy a state.
  const lagging = createInflateRaw({ chunkSize: OUTPUT_BYTES });
  let checksum = 0;
  let length = 0;
  try {
    for (let fed = 0, left = 0; left === 0;) {
      const piece = await source.peek(PIECE_BYTES);
      if (piece.length === 0) {
        throw await source.fault(`the gzip member from byte ${started} on is cut off`);
      }
      const decoded = await decode(inflate, piece);
      if (decoded instanceof Error) {
        yield* decodeUpToFault(lagging, piece);
        throw await source.fault(`the gzip member from byte ${started} on is damaged (${decoded.message})`);
      }
      await decode(lagging, piece);
      fed += piece.length;
      left = fed - inflate.bytesWritten;
      source.consume(piece.length - left);
      checksum = crc32(decoded, checksum);
      length = (length + decoded.length) % 2 ** 32;
      yield decoded;
    }
  } finally {
    inflate.destroy();
    lagging.destroy();
  }
  const trailer = await source.peek(TRAILER_BYTES);
  if (trailer.length < TRAILER_BYTES) {
    throw await source.fault(`the gzip member from byte ${started} on is cut off in its checksum`);
  }
  if (trailer.readUInt32LE(0) !== checksum || trailer.readUInt32LE(4) !== length) {
    throw await source.fault(
      `the checksum of the gzip member from byte ${started} on is not that of its content`,
    );
  }
  source.consume(TRAILER_BYTES);
}

async function* decodeUpToFault(inflate: InflateRaw, piece: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < piece.length; at += FAULTY_PIECE_BYTES) {
    const decoded = await decode(inflate, piece.subarray(at, at + FAULTY_PIECE_BYTES));
    if (decoded instanceof Error) return;
    yield decoded;
  }
}

async function readHeader(source: Source): Promise<void> {
  const started = source.position;
  const fixed = await source.peek(10);
  const [, , method = 0, flags = 0] = fixed;
  if (fixed.length === 10 && (method !== 8 || flags > 31)) {
    throw await source.fault(`the gzip header at byte ${started} is not one that can be read`);
  }
  source.consume(fixed.length);
  if ((flags & FLAG.extra) !== 0) {
    const length = await source.peek(2);
    source.consume(2);
    source.consume((await source.peek(length.length < 2 ? 0 : length.readUInt16LE(0))).length);
  }
  if ((flags & FLAG.name) !== 0) await skipText(source, started);
  if ((flags & FLAG.comment) !== 0) await skipText(source, started);
  if ((flags & FLAG.headerCrc) !== 0) source.consume((await source.peek(2)).length);
}

/** Skips a text of the header, up to and including its NUL. */
async function skipText(source: Source, started: number): Promise<void> {
  const bytes = await source.peek(HEADER_BYTES_MAX);
  const nul = bytes.indexOf(0);
  if (nul === -1) {
    throw await source.fault(`the gzip header at byte ${started} does not end`);
  }
  source.consume(nul + 1);
}

/** The decoded bytes of a piece, or the error of decoding it. */
async function decode(inflate: InflateRaw, piece: Buffer): Promise<Buffer | Error> {
  const outputs: Buffer[] = [];
  const keep = (output: Buffer): void => void outputs.push(output);
  inflate.on('data', keep);
  const failure = await new Promise<Error | undefined>((resolve) => {
    inflate.once('error', resolve);
    inflate.write(piece, (error) => resolve(error ?? undefined));
  });
  // Buffered output is emitted to `keep` too.
  while (inflate.read() !== null);
  inflate.off('data', keep);
  if (failure !== undefined) return failure;
  inflate.removeAllListeners('error');
  return Buffer.concat(outputs);
}

/** Bytes of the file, which can be read before they are consumed. */
class Source {
  /** Position in the file of the first byte that is not consumed. */
  position = 0;
  #held: Buffer = Buffer.alloc(0);
  readonly #chunks: AsyncIterator<Buffer>;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next bytes, fewer at the end of the file. */
  async peek(bytes: number): Promise<Buffer> {
    while (this.#held.length < bytes) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      this.#held = this.#held.length === 0 ? next.value : Buffer.concat([this.#held, next.value]);
    }
    return this.#held.subarray(0, bytes);
  }

  consume(bytes: number): void {
    const consumed = Math.min(bytes, this.#held.length);
    this.#held = this.#held.subarray(consumed);
    this.position += consumed;
  }

  /** Zeros are padding to a block size, for example of a tape. */
  async skipZeros(): Promise<void> {
    while ((await this.peek(1))[0] === 0) {
      const other = this.#held.findIndex((byte) => byte !== 0);
      this.consume(other === -1 ? this.#held.length : other);
    }
  }

  /** Consumes all remaining bytes. @returns their number */
  async drain(): Promise<number> {
    const from = this.position;
    while ((await this.peek(1)).length > 0) this.consume(this.#held.length);
    return this.position - from;
  }

  async fault(why: string): Promise<GzipFault> {
    const { position } = this;
    const bytes = await this.drain();
    return new GzipFault(`${why}; ${bytes} bytes from byte ${position} on were not read`);
  }
}
