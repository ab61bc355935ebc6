/*
 * Opens a file or stdin and decompresses it if it is gzip. The first bytes decide, not the name, so that pipes and
 * rotated files work alike.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { errorMessage } from '@imscope/runtime/error-message.js';
import { byteOrderMarkBytes, ENCODING_BYTES, foreignEncoding } from '@imscope/access-log/text-encoding.js';
import { type GzipEnd, gunzipMembers, isGzip } from './gunzip-members.js';
import { UsageError } from './command/usage-error.js';

export const STDIN = '-';

/** Reading ended before the end of the file: the disk failed, or gzip is incomplete or damaged. */
export class ReadError extends Error {}

export type Input = {
  readonly bytes: AsyncIterable<Buffer>;
  /** Bytes read from the file so far, before decompression. */
  bytesRead(): number;
  /** Bytes of the file; undefined for stdin. */
  readonly bytesTotal: number | undefined;
  /** When all bytes were read: describes further bytes of the file that could not be decompressed. */
  trailing(): string | undefined;
  close(): void;
};

/** @throws UsageError where the file does not exist or cannot be read */
export async function openInput(file: string, stdin: Readable): Promise<Input> {
  const total = file === STDIN ? undefined : await sizeOf(file);
  const source = file === STDIN ? stdin : createReadStream(file, { highWaterMark: 256 << 10 });
  let bytesRead = 0;
  const counted = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      bytesRead += bytes.length;
      yield bytes;
    }
  };
  const end: GzipEnd = { trailing: undefined };
  return {
    bytes: readable(decoded(inflated(counted(), file, end), file)),
    bytesRead: () => bytesRead,
    bytesTotal: total,
    trailing: () => end.trailing,
    close: () => source.destroy(),
  };
}

async function sizeOf(file: string): Promise<number> {
  try {
    const found = await stat(file);
    if (!found.isDirectory()) return found.size;
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  throw new UsageError(`${file} is a folder: give one file, or - for stdin`);
}

async function* readable(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await iterator.next().catch((error: unknown) => {
        if (error instanceof UsageError) throw error;
        throw new ReadError(errorMessage(error), { cause: error });
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return(undefined);
  }
}

/** First bytes of files in compressions that are not supported. */
const UNSUPPORTED: readonly (readonly [name: string, unpack: string, magic: readonly number[]])[] = [
  ['zstd', 'zstdcat', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', 'xzcat', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
  ['bzip2', 'bzcat', [0x42, 0x5a, 0x68]],
  ['lz4', 'lz4cat', [0x04, 0x22, 0x4d, 0x18]],
  ['zip', 'unzip -p', [0x50, 0x4b, 3, 4]],
];
const MAGIC_BYTES_MAX = 6;

/** @throws UsageError where the file has another compression than gzip */
async function* inflated(chunks: AsyncGenerator<Buffer>, file: string, end: GzipEnd): AsyncGenerator<Buffer> {
  const { head, all } = await peek(chunks, MAGIC_BYTES_MAX);
  const compression = UNSUPPORTED.find(([, , magic]) => magic.every((byte, at) => head[at] === byte));
  if (compression !== undefined) {
    const [name, unpack] = compression;
    throw new UsageError(
      `${nameOf(file)} is packed with ${name}, only gzip is unpacked here: ${unpack} ${file === STDIN ? '…' : file} | imscope send - …`,
    );
  }
  yield* isGzip(head) ? gunzipMembers(all, end) : all;
}

/** Drops a byte order mark at the beginning. @throws UsageError where the text is not UTF-8 */
async function* decoded(chunks: AsyncGenerator<Buffer>, file: string): AsyncGenerator<Buffer> {
  const { head, all } = await peek(chunks, ENCODING_BYTES);
  const encoding = foreignEncoding(head);
  if (encoding !== undefined) {
    throw new UsageError(
      `${nameOf(file)} is ${encoding}, only UTF-8 is read: iconv -f ${encoding} -t UTF-8 ${file === STDIN ? '…' : file} | imscope send - …`,
    );
  }
  let mark = byteOrderMarkBytes(head);
  for await (const chunk of all) {
    yield mark === 0 ? chunk : chunk.subarray(mark);
    mark = 0;
  }
}

function nameOf(file: string): string {
  return file === STDIN ? 'stdin' : file;
}

/** The first bytes (fewer in a short file), and all bytes. The first chunk of all bytes contains the first bytes. */
async function peek(
  chunks: AsyncGenerator<Buffer>,
  bytes: number,
): Promise<{ readonly head: Buffer; readonly all: AsyncGenerator<Buffer> }> {
  let head = Buffer.alloc(0);
  while (head.length < bytes) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  return { head, all: restored(head, chunks) };
}

async function* restored(head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* rest;
}
