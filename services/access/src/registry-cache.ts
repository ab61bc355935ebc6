/*
 * The cache file: what a service knew, for a start while the registry and its distribution are away. Lines of a checksum
 * and JSON; changes are appended, and the file is written again when they outgrow it. It holds hashes, never tokens.
 *
 *   imscope registry cache 1
 *   <CRC-32, hex> {"key":…,"revision":…,"entry":…}      a change; entry null: deleted
 *   <CRC-32, hex> {"generation":…,"revision":…}         the position after the changes before it
 */
import { chmod, open, readFile, rename, stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import {
  EntryPosition,
  type EntryChange,
  entryKey,
  type RegistryEntry,
} from '@imscope/schemas/registry-entry.js';
import { Compile } from 'typebox/compile';
import { isEntryChange } from './entry-change.js';

const HEAD = 'imscope registry cache 1\n';
/** A larger file is neither written nor read. 100,000 applications take some 20 MB. */
export const CACHE_BYTES_MAX = 256 << 20;
/** Appended bytes up to which a small file is not written again. */
const APPENDED_BYTES_MIN = 1 << 20;
const CHUNK_BYTES = 256 << 10;
const POSITION = Compile(EntryPosition);

export type CacheContent = {
  readonly position: EntryPosition;
  /** Epoch milliseconds of the last write. */
  readonly writtenMs: number;
};

/**
 * @param onChange gets the changes one by one: all of them at once would cost more time than reading them. Where the file
 * turns out to be damaged, what it got is worth nothing.
 * @returns undefined where there is no such file
 * @throws Error where it cannot be read or is damaged. A last line that was cut off is not damage: a process was killed
 * while it appended, and the position before it is older.
 */
export async function readRegistryCache(
  path: string,
  onChange: (change: EntryChange) => void,
): Promise<CacheContent | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (found.size > CACHE_BYTES_MAX)
    throw new Error(`it has ${found.size} bytes, more than ${CACHE_BYTES_MAX}`);
  const text = await readFile(path, 'utf8');
  if (!text.startsWith(HEAD)) throw new Error('it does not begin as a cache of the registry');
  let position: EntryPosition | undefined;
  let start = HEAD.length;
  // After the last newline: nothing, or a line that was cut off.
  for (let end = text.indexOf('\n', start); end !== -1; end = text.indexOf('\n', start)) {
    const value = readLine(text.slice(start, end));
    if (isEntryChange(value)) onChange(value);
    else if (POSITION.Check(value)) position = value;
    else throw new Error(`the line at byte ${start} is damaged`);
    start = end + 1;
  }
  if (position === undefined) throw new Error('it is not complete');
  return { position, writtenMs: found.mtimeMs };
}

function readLine(line: string): unknown {
  const json = line.slice(9);
  if (line.slice(0, 9) !== `${checksum(json)} `) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}

function lineOf(value: EntryChange | EntryPosition): string {
  const json = JSON.stringify(value);
  return `${checksum(json)} ${json}\n`;
}

export type RegistryCacheOptions = {
  readonly path: string;
  /** What a complete file holds. */
  readonly entries: () => Iterable<RegistryEntry>;
  readonly position: () => EntryPosition | undefined;
  /** Called with the reason when writing fails, and with undefined when it works again. */
  readonly onFailure: (error: unknown) => void;
};

/** Writes the cache file, one write at a time, in the background. */
export class RegistryCache {
  readonly #options: RegistryCacheOptions;
  #pending = '';
  #completeWanted = true;
  #writing: Promise<void> | undefined;
  #fileBytes = 0;
  #appendedBytes = 0;

  constructor(options: RegistryCacheOptions) {
    this.#options = options;
  }

  /** @param isComplete the file on the disk holds all that was known before these changes */
  changed(changes: readonly EntryChange[], position: EntryPosition): void {
    if (!this.#completeWanted) {
      this.#pending += [...changes, position].map(lineOf).join('');
      // A complete file is smaller than what a failing disk let pile up.
      if (this.#pending.length > APPENDED_BYTES_MIN + this.#fileBytes) this.replaced();
    }
    this.#write();
  }

  /** All may have changed: the file is written again. */
  replaced(): void {
    this.#completeWanted = true;
    this.#pending = '';
    this.#write();
  }

  /** Resolves once nothing is left to be written, or writing failed. */
  async flushed(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  #write(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#completeWanted || this.#pending !== '') {
        if (this.#completeWanted) await this.#writeComplete();
        else await this.#append();
      }
      this.#options.onFailure(undefined);
    } catch (error) {
      // The next change tries again.
      this.#completeWanted = true;
      this.#pending = '';
      this.#options.onFailure(error);
    }
  }

  async #append(): Promise<void> {
    const text = this.#pending;
    this.#pending = '';
    const file = await open(this.#options.path, 'a', 0o600);
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    this.#appendedBytes += Buffer.byteLength(text);
    if (this.#appendedBytes > Math.max(APPENDED_BYTES_MIN, this.#fileBytes)) this.#completeWanted = true;
  }

  async #writeComplete(): Promise<void> {
    this.#completeWanted = false;
    const { path, entries, position: readPosition } = this.#options;
    // Read before the entries: changes that come meanwhile are appended after them.
    const position = readPosition();
    if (position === undefined) return;
    const temporary = `${path}.new`;
    const file = await open(temporary, 'w', 0o600);
    let bytes = 0;
    try {
      for (const chunk of chunksOf(entries(), position)) {
        bytes += chunk.length;
        if (bytes > CACHE_BYTES_MAX) throw new Error(`it would have more than ${CACHE_BYTES_MAX} bytes`);
        await file.write(chunk);
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    await chmod(temporary, 0o600);
    await rename(temporary, path);
    this.#fileBytes = bytes;
    this.#appendedBytes = 0;
  }
}

function* chunksOf(entries: Iterable<RegistryEntry>, position: EntryPosition): Generator<Buffer> {
  let text = HEAD;
  for (const entry of entries) {
    text += lineOf({ key: entryKey(entry), revision: Math.max(1, position.revision), entry });
    if (text.length < CHUNK_BYTES) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(text + lineOf(position));
}
