/*
 * How far a tailed file was read. A position is logged with the batch of the lines before it, in one entry, so that a
 * killed process left both or neither. The checkpoint has it once that batch is durable.
 */
import { createHash } from 'node:crypto';

export type TailPosition = {
  /** Where the file was seen last. */
  readonly path: string;
  /** Device and inode: what a file keeps when it is renamed. */
  readonly inode: string;
  /** SHA-256 of the first `headBytes` bytes: inodes are reused, and files are truncated and rewritten. */
  readonly head: string;
  readonly headBytes: number;
  /** Where the first unread line begins. */
  readonly offset: number;
  /**
   * SHA-256 of the `beforeBytes` bytes before `offset`, which a truncated and rewritten file rarely has. Positions that
   * older versions saved lack it.
   */
  readonly before?: string;
  readonly beforeBytes?: number;
  /** Increases with every position, over all files and starts: of two positions the greater is newer. */
  readonly serial: number;
};

/** Enough bytes to distinguish files: the first line of an access log has a time and mostly an id. */
export const HEAD_BYTES_MAX = 256;

/** Enough bytes before a position: the end of the last line read, mostly with an id and a duration. */
export const BEFORE_BYTES_MAX = 256;

export function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The newest position of each inode. */
export class Positions {
  readonly #newest = new Map<string, TailPosition>();

  get serialMax(): number {
    let most = 0;
    for (const { serial } of this.#newest.values()) most = Math.max(most, serial);
    return most;
  }

  get list(): readonly TailPosition[] {
    return [...this.#newest.values()];
  }

  get(inode: string): TailPosition | undefined {
    return this.#newest.get(inode);
  }

  note(position: TailPosition): void {
    const known = this.#newest.get(position.inode);
    if (known === undefined || known.serial < position.serial) this.#newest.set(position.inode, position);
  }

  forget(inode: string): void {
    this.#newest.delete(inode);
  }
}
