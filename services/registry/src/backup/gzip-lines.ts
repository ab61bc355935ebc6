/* Lines of text as one compressed object, with the checksum of its bytes, and back. Memory holds a part of it. */
import { createHash, type Hash } from 'node:crypto';
import { pipeline as pipe, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { ObjectStore } from '../objects/object-store.js';
import type { BackupFile } from './manifest.js';

/** 64 GiB compressed. At the bound the backup fails. */
const BYTES_MAX = 64 * 1024 ** 3;
const CHUNK_CHARACTERS = 65_536;

export async function putLines(
  objects: Pick<ObjectStore, 'putStream'>,
  key: string,
  lines: AsyncIterable<string>,
): Promise<BackupFile> {
  const hash = createHash('sha256');
  let lineCount = 0;
  let byteCount = 0;
  async function* chunks(): AsyncGenerator<string> {
    let chunk = '';
    for await (const line of lines) {
      lineCount++;
      chunk += `${line}\n`;
      if (chunk.length < CHUNK_CHARACTERS) continue;
      yield chunk;
      chunk = '';
    }
    if (chunk !== '') yield chunk;
  }
  await pipeline(Readable.from(chunks()), createGzip(), async (compressed: AsyncIterable<Uint8Array>) => {
    byteCount = await objects.putStream(key, hashed(compressed, hash), BYTES_MAX);
  });
  return { key, byte_count: byteCount, sha256: hash.digest('hex'), line_count: lineCount };
}

/**
 * The lines of a file of a backup.
 * @throws after the last line, or before, where it is not the file that was written
 */
export async function* getLines(
  objects: Pick<ObjectStore, 'getStream'>,
  file: BackupFile,
): AsyncGenerator<string> {
  const stream = await objects.getStream(file.key);
  if (stream === undefined) throw new Error(`${file.key} is missing: restore another backup`);
  const hash = createHash('sha256');
  // An error of any part ends the last one with it.
  const text = pipe(
    stream,
    (source: AsyncIterable<Uint8Array>) => hashed(source, hash),
    createGunzip(),
    () => {},
  );
  text.setEncoding('utf8');
  let rest = '';
  let lineCount = 0;
  try {
    for await (const chunk of text as AsyncIterable<string>) {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      lineCount += parts.length;
      yield* parts;
    }
  } catch (error) {
    throw new Error(`${file.key} cannot be read: restore another backup`, { cause: error });
  }
  if (hash.digest('hex') !== file.sha256 || lineCount !== file.line_count || rest !== '')
    throw new Error(`${file.key} is not what was written (SHA-256 differs): restore another backup`);
}

async function* hashed(source: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}
