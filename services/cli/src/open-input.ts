/*
 * A file or stdin → its bytes, inflated where they are gzip. Told by the first two bytes, not by the name, so
 * that `zcat`-less pipes and rotated files work alike.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UsageError } from './usage-error.js';

export const STDIN = '-';

/** The bytes end before the file does: the disk failed, or gzip is cut off. */
export class ReadError extends Error {}

export type Input = {
  readonly bytes: AsyncIterable<Buffer>;
  /** Bytes taken from the file so far, as they lie on disk. */
  bytesRead(): number;
  /** Bytes of the file; undefined for stdin. */
  readonly bytesTotal: number | undefined;
  close(): void;
};

/** @throws UsageError where the file is not there or cannot be read */
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
  return {
    bytes: readable(inflated(counted())),
    bytesRead: () => bytesRead,
    bytesTotal: total,
    close: () => source.destroy(),
  };
}

async function sizeOf(file: string): Promise<number> {
  try {
    const found = await stat(file);
    if (!found.isDirectory()) return found.size;
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`, {
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
        throw new ReadError(error instanceof Error ? error.message : String(error), { cause: error });
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return(undefined);
  }
}

async function* inflated(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const whole = restored(head, chunks);
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* whole;
    return;
  }
  const packed = Readable.from(whole);
  const gunzip = createGunzip({ chunkSize: 256 << 10 });
  packed.on('error', (error) => gunzip.destroy(error)).pipe(gunzip);
  for await (const chunk of gunzip) yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}

async function* restored(head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* rest;
}
