/*
 * A gzip file → its content, member by member. Content decoded before a fault is passed on before the fault is
 * reported; zlib's own gzip stream discards it. Bytes after the last member do not affect its lines.
 */
import { crc32, createInflateRaw, type InflateRaw } from 'node:zlib';

/** The content ends before the file does. */
export class GzipFault extends Error {}

/** What is known once the content was read. */
export type GzipEnd = {
  /** What stands behind the last complete member and is no gzip data; undefined where nothing does. */
  trailing: string | undefined;
};

/** Compressed bytes decoded at once. Deflate makes at most 1,032 bytes out of one: 17 MB. */
const PIECE_BYTES = 16 << 10;
/** A piece that holds a fault is decoded again by so many bytes: only the content of the last of them is lost. */
const FAULTY_PIECE_BYTES = 16;
const OUTPUT_BYTES = 64 << 10;
/** A header may hold a name and a comment of any length; gzip writes a file's name. */
const HEADER_BYTES_MAX = 64 << 10;
const TRAILER_BYTES = 8;
const SHOWN_BYTES = 16;

const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;

/** @throws GzipFault where a member is damaged or cut off, behind all that was decoded of it */
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
    end.trailing = `${bytes} bytes behind the last gzip member, from byte ${position} on, are no gzip data: they begin with ${JSON.stringify(shown)}`;
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
  // One piece behind: it still has the state before a piece that cannot be decoded, which zlib gives to nobody.
  const behind = createInflateRaw({ chunkSize: OUTPUT_BYTES });
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
        yield* decodeUpToFault(behind, piece);
        throw await source.fault(`the gzip member from byte ${started} on is damaged (${decoded.message})`);
      }
      await decode(behind, piece);
      fed += piece.length;
      left = fed - inflate.bytesWritten;
      source.take(piece.length - left);
      checksum = crc32(decoded, checksum);
      length = (length + decoded.length) % 2 ** 32;
      yield decoded;
    }
  } finally {
    inflate.destroy();
    behind.destroy();
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
  source.take(TRAILER_BYTES);
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
  source.take(fixed.length);
  if ((flags & FLAG.extra) !== 0) {
    const length = await source.peek(2);
    source.take(2);
    source.take((await source.peek(length.length < 2 ? 0 : length.readUInt16LE(0))).length);
  }
  if ((flags & FLAG.name) !== 0) await skipText(source, started);
  if ((flags & FLAG.comment) !== 0) await skipText(source, started);
  if ((flags & FLAG.headerCrc) !== 0) source.take((await source.peek(2)).length);
}

/** A text of the header, up to and with its NUL. */
async function skipText(source: Source, started: number): Promise<void> {
  const bytes = await source.peek(HEADER_BYTES_MAX);
  const nul = bytes.indexOf(0);
  if (nul === -1) {
    throw await source.fault(`the gzip header at byte ${started} does not end`);
  }
  source.take(nul + 1);
}

/** All that a piece comes to, or why it cannot be decoded. */
async function decode(inflate: InflateRaw, piece: Buffer): Promise<Buffer | Error> {
  const outputs: Buffer[] = [];
  const keep = (output: Buffer): void => void outputs.push(output);
  inflate.on('data', keep);
  const failure = await new Promise<Error | undefined>((resolve) => {
    inflate.once('error', resolve);
    inflate.write(piece, (error) => resolve(error ?? undefined));
  });
  // What is buffered goes to `keep` too.
  while (inflate.read() !== null);
  inflate.off('data', keep);
  if (failure !== undefined) return failure;
  inflate.removeAllListeners('error');
  return Buffer.concat(outputs);
}

/** Bytes of the file, looked at before they are taken. */
class Source {
  /** Where in the file the first byte stands that was not taken. */
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

  take(bytes: number): void {
    const taken = Math.min(bytes, this.#held.length);
    this.#held = this.#held.subarray(taken);
    this.position += taken;
  }

  /** Padding up to a block of a tape or a disk. */
  async skipZeros(): Promise<void> {
    while ((await this.peek(1))[0] === 0) {
      const other = this.#held.findIndex((byte) => byte !== 0);
      this.take(other === -1 ? this.#held.length : other);
    }
  }

  /** Takes all bytes that are left. @returns how many they were */
  async drain(): Promise<number> {
    const from = this.position;
    while ((await this.peek(1)).length > 0) this.take(this.#held.length);
    return this.position - from;
  }

  async fault(why: string): Promise<GzipFault> {
    const { position } = this;
    const bytes = await this.drain();
    return new GzipFault(`${why}; ${bytes} bytes from byte ${position} on were not read`);
  }
}
