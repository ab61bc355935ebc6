/*
 * One followed file, by its open handle: it stays readable when it is renamed or deleted. Detects truncation and
 * rewriting, returns complete lines only, and skips lines that are too long in bounded memory.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { byteOrderMarkBytes, foreignEncoding } from '@imscope/access-log/text-encoding.js';
import { BEFORE_BYTES_MAX, HEAD_BYTES_MAX, hashOf, type TailPosition } from '../spool/tail-position.js';

/** Complete lines of a file. Valid until the next read. */
export type FileLines = {
  /** Ends with a newline, or with the last line of a finished file. */
  readonly bytes: Buffer;
  /** Where in the file it begins. */
  readonly from: number;
  /** The line before them, up to `from`, was too long to be read. */
  readonly afterLongLine: boolean;
};

const NEWLINE = 10;
const NOTHING = Buffer.alloc(0);

export class FollowedFile {
  readonly inode: string;
  readonly #handle: FileHandle;
  /** Where it was last seen. */
  path: string;
  /** Since when it is no longer at its path, monotonic. It is finished once nothing more is written to it. */
  goneSinceMs: number | undefined;
  /** When a change was last seen; monotonic. */
  grewMs: number;
  size = 0;
  readMs = 0;
  /** It was opened at a saved position. */
  resumed = false;
  #offset = 0;
  #mtimeMs = 0;
  #first: Buffer = NOTHING;
  /** The bytes before `offset` as they were read, at most `BEFORE_BYTES_MAX`. */
  #before: Buffer = NOTHING;
  /** The lines read last, while their bytes are valid. */
  #lines: FileLines | undefined;
  #truncations = 0;
  #foreignEncoding: string | undefined;
  /** A position has its beginning. */
  #begun = false;
  /** Bytes skipped of the line at `offset`, which is longer than one read. */
  #longBytes = 0;
  /** At this size the file had no complete line. */
  #halfLineSize = -1;

  private constructor(path: string, inode: string, handle: FileHandle) {
    this.path = path;
    this.inode = inode;
    this.#handle = handle;
    this.grewMs = performance.now();
  }

  /** Opens a file, and continues after its position where it has one. Rejects where it cannot be read. */
  static async open(
    path: string,
    positionOf: (inode: string) => TailPosition | undefined,
  ): Promise<FollowedFile> {
    const handle = await open(path, 'r');
    try {
      const stat = await handle.stat({ bigint: true });
      if (!stat.isFile()) throw new Error(`${path} is not a file`);
      const file = new FollowedFile(path, inodeOf(stat), handle);
      file.size = Number(stat.size);
      const position = positionOf(file.inode);
      if (position !== undefined && (await file.#isAt(position))) {
        file.#offset = position.offset;
        file.resumed = true;
      } else await file.#beginsAsBefore();
      file.#begun = file.resumed;
      return file;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Where the first line begins that is not logged. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes that are not logged. */
  get behindBytes(): number {
    return Math.max(0, this.size - this.#offset);
  }

  /** Everything before `offset` is logged. */
  advance(offset: number): void {
    this.#before = Buffer.from(this.#bytesBefore(offset));
    this.#offset = offset;
    this.#longBytes = 0;
  }

  /** How often it was truncated or rewritten since the last call. */
  drainTruncations(): number {
    const truncations = this.#truncations;
    this.#truncations = 0;
    return truncations;
  }

  /** The name of its encoding where it is not UTF-8, once: its lines cannot be read. */
  drainForeignEncoding(): string | undefined {
    const encoding = this.#foreignEncoding;
    this.#foreignEncoding = undefined;
    return encoding;
  }

  /** True once, when its first bytes are known: a position with them finds the file again after a rename. */
  begins(): boolean {
    if (this.#begun || this.#first.length === 0) return false;
    this.#begun = true;
    return true;
  }

  position(offset: number, serial: number): TailPosition {
    const { path, inode } = this;
    const before = this.#bytesBefore(offset);
    return {
      path,
      inode,
      head: hashOf(this.#first),
      headBytes: this.#first.length,
      offset,
      before: hashOf(before),
      beforeBytes: before.length,
      serial,
    };
  }

  /** Reads its size. @returns true where there may be complete lines to read */
  async checkSize(nowMs: number): Promise<boolean> {
    const { size, mtimeMs } = await this.#handle.stat();
    if (size < this.#offset + this.#longBytes) this.#restart();
    if (mtimeMs !== this.#mtimeMs || size !== this.size) {
      this.#mtimeMs = mtimeMs;
      this.grewMs = nowMs;
      this.#halfLineSize = -1;
      // Rewritten to the same length. Where it is longer, `read` checks.
      if (size === this.#offset && !(await this.#isTheSame())) this.#restart();
    }
    this.size = size;
    return size > this.#offset + this.#longBytes && size !== this.#halfLineSize;
  }

  /** The next complete lines; undefined where there are none yet, or where the file was rewritten. */
  async read(buffer: Buffer): Promise<FileLines | undefined> {
    const start = this.#offset + this.#longBytes;
    this.#lines = undefined;
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, start);
    // Checked after the read: then what was read is of the same file, whatever happened meanwhile.
    if (!(await this.#isTheSame())) {
      this.#restart();
      return undefined;
    }
    const bytes = buffer.subarray(0, bytesRead);
    if (this.#longBytes > 0) return this.#endOfLongLine(bytes, start);
    if (start === 0) this.#foreignEncoding = foreignEncoding(bytes);
    // The writer may have continued at its old offset after a truncation, which leaves a hole of NUL bytes. Neither a
    // hole nor a byte order mark is part of a line.
    const skipped = leadingNulls(bytes) || (start === 0 ? byteOrderMarkBytes(bytes) : 0);
    if (skipped > 0) {
      this.#offset += skipped;
      this.#before = NOTHING;
      return undefined;
    }
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0)
      return this.#returnLines({ bytes: bytes.subarray(0, end), from: start, afterLongLine: false });
    if (bytesRead === buffer.length) this.#longBytes = bytesRead;
    else this.#halfLineSize = start + bytesRead;
    return undefined;
  }

  /** The last line without a newline, once nothing more is written; undefined where there is none. */
  async readRest(buffer: Buffer): Promise<FileLines | undefined> {
    const from = this.size;
    if (from <= this.#offset || !(await this.#isTheSame())) return undefined;
    if (this.#longBytes > 0 || from - this.#offset > buffer.length) {
      return this.#returnLines({ bytes: NOTHING, from, afterLongLine: true });
    }
    const { bytesRead } = await this.#handle.read(buffer, 0, from - this.#offset, this.#offset);
    return this.#returnLines({
      bytes: buffer.subarray(0, bytesRead),
      from: this.#offset,
      afterLongLine: false,
    });
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #endOfLongLine(bytes: Buffer, start: number): FileLines | undefined {
    const lineEnd = bytes.indexOf(NEWLINE) + 1;
    if (lineEnd === 0) {
      this.#longBytes += bytes.length;
      return undefined;
    }
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    return this.#returnLines({
      bytes: bytes.subarray(lineEnd, end),
      from: start + lineEnd,
      afterLongLine: true,
    });
  }

  #returnLines(lines: FileLines): FileLines {
    this.#lines = lines;
    return lines;
  }

  /** The bytes before `offset` as far as they were read: of the last lines, and of those before them. */
  #bytesBefore(offset: number): Buffer {
    if (offset === this.#offset) return this.#before;
    const { bytes, from, afterLongLine } = this.#lines ?? {
      bytes: NOTHING,
      from: 0,
      afterLongLine: false,
    };
    if (offset < from || offset > from + bytes.length) return NOTHING;
    const read = bytes.subarray(Math.max(0, offset - from - BEFORE_BYTES_MAX), offset - from);
    const isNext = from === this.#offset && !afterLongLine;
    if (read.length === BEFORE_BYTES_MAX || !isNext) return read;
    return Buffer.concat([this.#before, read]).subarray(-BEFORE_BYTES_MAX);
  }

  #restart(): void {
    this.#truncations += 1;
    this.#offset = 0;
    this.#longBytes = 0;
    this.#halfLineSize = -1;
    this.#first = NOTHING;
    this.#before = NOTHING;
    this.#lines = undefined;
    this.#begun = false;
  }

  /** Neither truncated nor rewritten, as far as its first bytes and those before `offset` tell. */
  async #isTheSame(): Promise<boolean> {
    if (!(await this.#beginsAsBefore())) return false;
    const { length } = this.#before;
    return length === 0 || this.#before.equals(await this.#readAt(this.#offset - length, length));
  }

  async #beginsAsBefore(): Promise<boolean> {
    const now = await this.#readFirst();
    const same = now.subarray(0, this.#first.length).equals(this.#first);
    if (same && now.length > this.#first.length) this.#first = now;
    return same;
  }

  /** Restores a position. False where it is of another file, or the file was truncated meanwhile. */
  async #isAt({ headBytes, head, offset, before, beforeBytes }: TailPosition): Promise<boolean> {
    const first = await this.#readFirst();
    if (first.length < headBytes || hashOf(first.subarray(0, headBytes)) !== head) return false;
    const length = beforeBytes ?? Math.min(offset, BEFORE_BYTES_MAX);
    const now = await this.#readAt(offset - length, length);
    if (this.size < offset || (before !== undefined && hashOf(now) !== before)) {
      this.#truncations += 1;
      return false;
    }
    this.#first = first;
    this.#before = now;
    return true;
  }

  async #readFirst(): Promise<Buffer> {
    return this.#readAt(0, HEAD_BYTES_MAX);
  }

  /** Fewer bytes where the file ends before. */
  async #readAt(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await this.#handle.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  }
}

export function inodeOf(stat: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${stat.dev}:${stat.ino}`;
}

function leadingNulls(bytes: Buffer): number {
  let count = 0;
  while (bytes[count] === 0) count += 1;
  return count;
}
