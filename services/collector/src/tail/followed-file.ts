/*
 * One file that is read to its end and followed, by its open handle: renamed or deleted it stays readable. Tells
 * when it was cut off or written anew, gives whole lines only, and steps over lines without end in bounded memory.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { byteOrderMarkBytes, foreignEncoding } from '@imscope/access-log/text-encoding.js';
import { BEFORE_BYTES_MAX, HEAD_BYTES_MAX, hashOf, type TailPosition } from '../spool/tail-position.js';

/** Whole lines of a file, as they stand there. Valid until the next is read. */
export type Stretch = {
  /** Ends with a line's end, or with the last line of a file that is finished. */
  readonly bytes: Buffer;
  /** Where in the file it begins. */
  readonly from: number;
  /** A line before it, up to `from`, was too long to be looked at. */
  readonly behindLongLine: boolean;
};

const NEWLINE = 10;
const NOTHING = Buffer.alloc(0);

export class FollowedFile {
  readonly inode: string;
  readonly #handle: FileHandle;
  /** Where it was seen last. */
  path: string;
  /** It is no longer at its path: once nothing more comes, it is finished. Since when, monotonic. */
  goneSinceMs: number | undefined;
  /** When it was last written, as far as was seen; monotonic. */
  grewMs: number;
  size = 0;
  readMs = 0;
  /** It was opened at a position of its own. */
  resumed = false;
  #offset = 0;
  #mtimeMs = 0;
  #first: Buffer = NOTHING;
  /** The bytes before `offset` as they were read, at most `BEFORE_BYTES_MAX`. */
  #before: Buffer = NOTHING;
  /** What was read last, where its bytes are still valid. */
  #stretch: Stretch | undefined;
  #truncations = 0;
  #foreignEncoding: string | undefined;
  /** Its beginning stands in a position. */
  #begun = false;
  /** Bytes of the line at `offset` that were let go: it is longer than what is read at once. */
  #longBytes = 0;
  /** With this size there was no whole line. */
  #halfLineSize = -1;

  private constructor(path: string, inode: string, handle: FileHandle) {
    this.path = path;
    this.inode = inode;
    this.#handle = handle;
    this.grewMs = performance.now();
  }

  /** Opens a file and goes on behind `position` where it is one of this very file. Rejects where it cannot be read. */
  static async open(
    path: string,
    positionOf: (inode: string) => TailPosition | undefined,
  ): Promise<FollowedFile> {
    const handle = await open(path, 'r');
    try {
      const stat = await handle.stat({ bigint: true });
      if (!stat.isFile()) throw new Error(`${path} is no file`);
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

  /** Where the first line begins that was not taken. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes that were not taken. */
  get behindBytes(): number {
    return Math.max(0, this.size - this.#offset);
  }

  /** Everything before `offset` was taken. */
  take(offset: number): void {
    this.#before = Buffer.from(this.#bytesBefore(offset));
    this.#offset = offset;
    this.#longBytes = 0;
  }

  /** How often it was cut off or written again since this was asked last. */
  takeTruncations(): number {
    const truncations = this.#truncations;
    this.#truncations = 0;
    return truncations;
  }

  /** The name of its encoding where it is not UTF-8, once: its lines cannot be read. */
  takeForeignEncoding(): string | undefined {
    const encoding = this.#foreignEncoding;
    this.#foreignEncoding = undefined;
    return encoding;
  }

  /** True once, as soon as it can be told from others: its beginning is a position too, to find it by after a rename. */
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

  /** Reads how long it is now. @returns true where there may be whole lines to be read */
  async look(nowMs: number): Promise<boolean> {
    const { size, mtimeMs } = await this.#handle.stat();
    if (size < this.#offset + this.#longBytes) this.#startAnew();
    if (mtimeMs !== this.#mtimeMs || size !== this.size) {
      this.#mtimeMs = mtimeMs;
      this.grewMs = nowMs;
      this.#halfLineSize = -1;
      // Written again to the very length it had. Where it is longer, `read` checks.
      if (size === this.#offset && !(await this.#isTheSame())) this.#startAnew();
    }
    this.size = size;
    return size > this.#offset + this.#longBytes && size !== this.#halfLineSize;
  }

  /** The next whole lines; undefined where there are none yet, or where the file began anew. */
  async read(buffer: Buffer): Promise<Stretch | undefined> {
    const start = this.#offset + this.#longBytes;
    this.#stretch = undefined;
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, start);
    // Behind the reading: what was read is of the same file then, whatever happened to it meanwhile.
    if (!(await this.#isTheSame())) {
      this.#startAnew();
      return undefined;
    }
    const bytes = buffer.subarray(0, bytesRead);
    if (this.#longBytes > 0) return this.#endOfLongLine(bytes, start);
    if (start === 0) this.#foreignEncoding = foreignEncoding(bytes);
    // A hole: the writer went on at its old place after the file was cut off. Neither it nor a byte order mark is
    // anything of a line.
    const noLine = leadingNulls(bytes) || (start === 0 ? byteOrderMarkBytes(bytes) : 0);
    if (noLine > 0) {
      this.#offset += noLine;
      this.#before = NOTHING;
      return undefined;
    }
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0) return this.#handOn({ bytes: bytes.subarray(0, end), from: start, behindLongLine: false });
    if (bytesRead === buffer.length) this.#longBytes = bytesRead;
    else this.#halfLineSize = start + bytesRead;
    return undefined;
  }

  /** What stands behind the last line's end, once nothing more comes; undefined where nothing does. */
  async readRest(buffer: Buffer): Promise<Stretch | undefined> {
    const from = this.size;
    if (from <= this.#offset || !(await this.#isTheSame())) return undefined;
    if (this.#longBytes > 0 || from - this.#offset > buffer.length) {
      return this.#handOn({ bytes: NOTHING, from, behindLongLine: true });
    }
    const { bytesRead } = await this.#handle.read(buffer, 0, from - this.#offset, this.#offset);
    return this.#handOn({
      bytes: buffer.subarray(0, bytesRead),
      from: this.#offset,
      behindLongLine: false,
    });
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #endOfLongLine(bytes: Buffer, start: number): Stretch | undefined {
    const lineEnd = bytes.indexOf(NEWLINE) + 1;
    if (lineEnd === 0) {
      this.#longBytes += bytes.length;
      return undefined;
    }
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    return this.#handOn({
      bytes: bytes.subarray(lineEnd, end),
      from: start + lineEnd,
      behindLongLine: true,
    });
  }

  #handOn(stretch: Stretch): Stretch {
    this.#stretch = stretch;
    return stretch;
  }

  /** The bytes before `offset` as far as they were read: out of the last stretch, and of those before it. */
  #bytesBefore(offset: number): Buffer {
    if (offset === this.#offset) return this.#before;
    const { bytes, from, behindLongLine } = this.#stretch ?? {
      bytes: NOTHING,
      from: 0,
      behindLongLine: false,
    };
    if (offset < from || offset > from + bytes.length) return NOTHING;
    const read = bytes.subarray(Math.max(0, offset - from - BEFORE_BYTES_MAX), offset - from);
    const isNext = from === this.#offset && !behindLongLine;
    if (read.length === BEFORE_BYTES_MAX || !isNext) return read;
    return Buffer.concat([this.#before, read]).subarray(-BEFORE_BYTES_MAX);
  }

  #startAnew(): void {
    this.#truncations += 1;
    this.#offset = 0;
    this.#longBytes = 0;
    this.#halfLineSize = -1;
    this.#first = NOTHING;
    this.#before = NOTHING;
    this.#stretch = undefined;
    this.#begun = false;
  }

  /** It was neither cut off nor written again, as far as its first bytes and those before `offset` tell. */
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

  /** Takes over what `position` tells of the file. False where it is another file, or was cut off meanwhile. */
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
