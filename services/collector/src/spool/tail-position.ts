/*
 * How far a tailed file was read. It stands in the log with the batch of the lines before it, in one entry, so that
 * a killed process left both or neither; and in the checkpoint once that batch is durable.
 */
import { createHash } from 'node:crypto';

export type TailPosition = {
  /** Where the file was seen last. */
  readonly path: string;
  /** Device and inode: what a file keeps when it is renamed. */
  readonly inode: string;
  /** SHA-256 of the first `headBytes` bytes: inodes are used again, and files are cut off and written anew. */
  readonly head: string;
  readonly headBytes: number;
  /** Where the first line begins that was not read. */
  readonly offset: number;
  /**
   * SHA-256 of the `beforeBytes` bytes before `offset`, which a file that was cut off and written again has seldom. Not
   * in positions that older versions saved.
   */
  readonly before?: string;
  readonly beforeBytes?: number;
  /** Rises with every position taken, of all files and all starts: of two positions the greater holds. */
  readonly serial: number;
};

/** So many bytes tell a file from another: the first line of an access log has a time in it, mostly an id. */
export const HEAD_BYTES_MAX = 256;

/** As many before a position: the end of the last line that was read, mostly with an id and a duration in it. */
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
