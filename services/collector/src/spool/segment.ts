/*
 * One file of a boot's log. It knows how much of it holds together and how much of that is on the disk, and it
 * counts its holders: whoever still needs what stands in it. A segment whose fsync failed once is never synced
 * again: after a failure Linux may report success for pages it dropped.
 */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DecodedEntry, decodeEntry } from './entry.js';

/** Where an entry stands. */
export type Location = { readonly segment: number; readonly offset: number; readonly bytes: number };

const NAME = /^(\d{8})\.wal$/;

export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.wal`;
}

/** The number in a file's name; undefined where it is no segment's. */
export function segmentNumber(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export class Segment {
  readonly number: number;
  readonly path: string;
  readonly openedMs: number;
  readonly #handle: FileHandle;
  /** Bytes of whole entries. What the file may have beyond them is not ours. */
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

  /** Makes a new file and puts its name on the disk. */
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

  /** Opens what an earlier process left, for reading and for being removed. */
  static async openOld(directory: string, number: number): Promise<Segment> {
    const path = join(directory, segmentName(number));
    const handle = await open(path, 'r');
    const { size, birthtimeMs } = await handle.stat();
    return new Segment(number, path, handle, size, Math.floor(birthtimeMs));
  }

  /** True where nothing more may be promised about what is written here. */
  get syncFailed(): boolean {
    return this.#syncFailed;
  }

  get synced(): boolean {
    return this.#syncedBytes >= this.bytes;
  }

  /** Writes behind `bytes`, which the caller moves once it knows that all is well. */
  async write(pieces: readonly Buffer[]): Promise<void> {
    let at = this.bytes;
    let left = [...pieces];
    while (left.length > 0) {
      const { bytesWritten } = await this.#handle.writev(left, at);
      at += bytesWritten;
      left = behind(left, bytesWritten);
    }
  }

  /** Everything up to `bytes`, as it is at the call, is on the disk afterwards. */
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

  /** Takes back what was written behind `bytes`. */
  async truncate(): Promise<void> {
    await this.#handle.truncate(this.bytes);
  }

  /** @returns undefined where the entry does not hold together any more */
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

function behind(pieces: readonly Buffer[], written: number): Buffer[] {
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
