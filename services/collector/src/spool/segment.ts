/*
 * One file of an incarnation's log. It tracks how many bytes are complete entries and how many of them are synced, and
 * counts the holders that still need its entries. A segment whose fsync failed is never synced again: after a failure
 * Linux may report success for pages it dropped.
 */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DecodedEntry, decodeEntry } from './entry.js';

/** Where an entry is. */
export type Location = { readonly segment: number; readonly offset: number; readonly bytes: number };

const NAME = /^(\d{8})\.wal$/;

export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.wal`;
}

/** The number in a file's name; undefined where it is not the name of a segment. */
export function segmentNumber(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export class Segment {
  readonly number: number;
  readonly path: string;
  readonly openedMs: number;
  readonly #handle: FileHandle;
  /** Bytes of complete entries. The file may have an incomplete one after them. */
  bytes: number;
  #syncedBytes: number;
  #syncFailed = false;
  holders = 0;

  private constructor(number: number, path: string, handle: FileHandle, bytes: number, openedMs: number) {
    this.number = number;
    this.path = path;
    this.#handle = handle;
    this.bytes = bytes;
    this.#syncedBytes = bytes;
    this.openedMs = openedMs;
  }

  /** Creates the file and syncs its directory. */
  static async create(directory: string, number: number, nowMs: number): Promise<Segment> {
    const path = join(directory, segmentName(number));
    const handle = await open(path, 'wx+', 0o600);
    try {
      await syncDirectory(directory);
    } catch (error) {
      await handle.close();
      await rm(path, { force: true });
      throw error;
    }
    return new Segment(number, path, handle, 0, nowMs);
  }

  /** Opens the file of an earlier process, for reading and removal. */
  static async openOld(directory: string, number: number): Promise<Segment> {
    const path = join(directory, segmentName(number));
    const handle = await open(path, 'r');
    const { size, birthtimeMs } = await handle.stat();
    return new Segment(number, path, handle, size, Math.floor(birthtimeMs));
  }

  /** True where what is written here can no longer be made durable. */
  get syncFailed(): boolean {
    return this.#syncFailed;
  }

  get synced(): boolean {
    return this.#syncedBytes >= this.bytes;
  }

  /** Writes after `bytes`, which the caller increases once the write has succeeded. */
  async write(pieces: readonly Buffer[]): Promise<void> {
    let at = this.bytes;
    let left = [...pieces];
    while (left.length > 0) {
      const { bytesWritten } = await this.#handle.writev(left, at);
      at += bytesWritten;
      left = withoutFirst(left, bytesWritten);
    }
  }

  /** Syncs everything up to the `bytes` at the time of the call. */
  async sync(): Promise<void> {
    if (this.#syncFailed) throw new Error(`${this.path} could not be synced before`);
    const { bytes } = this;
    try {
      await this.#handle.datasync();
    } catch (error) {
      this.#syncFailed = true;
      throw error;
    }
    this.#syncedBytes = Math.max(this.#syncedBytes, bytes);
  }

  /** Removes what was written after `bytes`. */
  async truncate(): Promise<void> {
    await this.#handle.truncate(this.bytes);
  }

  /** @returns undefined where the entry is damaged */
  async read(location: Location): Promise<DecodedEntry | undefined> {
    const buffer = Buffer.allocUnsafe(location.bytes);
    const { bytesRead } = await this.#handle.read(buffer, 0, location.bytes, location.offset);
    return decodeEntry(buffer.subarray(0, bytesRead), 0);
  }

  async readAll(): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(this.bytes);
    let at = 0;
    while (at < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, at, buffer.length - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return buffer.subarray(0, at);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async remove(): Promise<void> {
    await this.#handle.close();
    await rm(this.path, { force: true });
  }
}

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function withoutFirst(pieces: readonly Buffer[], written: number): Buffer[] {
  const left: Buffer[] = [];
  let skip = written;
  for (const piece of pieces) {
    if (skip >= piece.length) {
      skip -= piece.length;
      continue;
    }
    left.push(piece.subarray(skip));
    skip = 0;
  }
  return left;
}
