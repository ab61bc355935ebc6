/*
 * One partition for as long as this process owns it: feeds the cutter, stores blocks one after another while the
 * next one fills, and ends a waiting block by a marker. A worker that lost its partition does nothing more.
 */
import type { BlockBounds } from '@imscope/schemas/block-bounds.js';
import type { Block, BlockCutter, LogMessage } from './block-cutter.js';
import { OwnershipLost } from './store-block.js';

export type WorkerPorts = {
  readonly store: (block: Block, owned: () => boolean) => Promise<void>;
  /** Appends a marker with these bounds; gives its offset. */
  readonly appendMarker: (bounds: BlockBounds) => Promise<number>;
  /** A block could not be stored and never will: the process must end. */
  readonly fail: (error: Error) => void;
  readonly onLost: () => void;
};

export type Taken =
  | { readonly kind: 'taken' }
  /** The batch starts beyond the next offset, at `to`; nothing was taken. */
  | { readonly kind: 'jumped'; readonly from: number; readonly to: number }
  /** The log ends before the next offset: it is another log, or the batch is an old one. Nothing was taken. */
  | { readonly kind: 'shrunk' }
  /** The partition went to another owner, or its block can never be stored. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'unknown_schema'; readonly offset: number };

export class PartitionWorker {
  readonly #cutter: BlockCutter;
  readonly #ports: WorkerPorts;
  #storing: Promise<void> = Promise.resolve();
  #busy = false;
  #owned = true;
  #openSinceMs: number | undefined;
  #markerOffset: number | 'sending' | undefined;
  #endOffset = 0;
  #jumpAllowedTo = 0;
  /** Wall clock of the last message taken or block stored, for the stall watch. */
  progressMs: number;

  constructor(cutter: BlockCutter, ports: WorkerPorts, nowMs: number) {
    this.#cutter = cutter;
    this.#ports = ports;
    this.progressMs = nowMs;
  }

  get nextOffset(): number {
    return this.#cutter.nextOffset;
  }

  /** Messages between here and the end of the log as last seen. */
  get lag(): number {
    return Math.max(0, this.#endOffset - this.#cutter.nextOffset);
  }

  /** What lies before this offset is gone from the log for good: the next batch may start there. */
  allowJump(to: number): void {
    this.#jumpAllowedTo = to;
  }

  /** The partition is somebody else's now. */
  lose(): void {
    this.#owned = false;
  }

  /** Resolves when the block in hand, if any, is stored or given up. */
  async idle(): Promise<void> {
    await this.#storing;
  }

  /**
   * Takes messages in order; waits where a block is cut while the one before is still being stored.
   * @param endOffset the log's end as the broker told with these messages
   */
  async take(messages: readonly LogMessage[], endOffset: number, nowMs: () => number): Promise<Taken> {
    if (endOffset < this.#cutter.nextOffset) return { kind: 'shrunk' };
    this.#endOffset = endOffset;
    const fresh = messages.filter(({ offset }) => offset >= this.#cutter.nextOffset);
    const first = fresh[0];
    const from = this.#cutter.nextOffset;
    if (first !== undefined && first.offset > Math.max(from, this.#jumpAllowedTo)) {
      return { kind: 'jumped', from, to: first.offset };
    }
    for (const message of fresh) {
      if (!this.#owned) return { kind: 'lost' };
      const pushed = this.#cutter.push(message);
      if (pushed.kind === 'unknown_schema') return { kind: 'unknown_schema', offset: message.offset };
      this.progressMs = nowMs();
      if (pushed.kind === 'cut') {
        this.#openSinceMs = undefined;
        await this.#storing;
        this.#storeInBackground(pushed.block, nowMs);
      } else if (this.#cutter.holdsMessages) this.#openSinceMs ??= nowMs();
    }
    return { kind: 'taken' };
  }

  #storeInBackground(block: Block, nowMs: () => number): void {
    this.#busy = true;
    const store = async (): Promise<void> => {
      try {
        await this.#ports.store(block, () => this.#owned);
        this.progressMs = nowMs();
      } catch (error) {
        this.#owned = false;
        if (error instanceof OwnershipLost) this.#ports.onLost();
        else this.#ports.fail(error instanceof Error ? error : new Error(String(error)));
      } finally {
        this.#busy = false;
      }
    };
    this.#storing = store();
  }

  /**
   * Called often. Appends a marker where all of the log was read, the open block holds messages older than
   * `ageMs`, and nothing is being stored: while the store is busy a larger block is worth more than a sooner one.
   */
  async endWaitingBlock(bounds: BlockBounds, ageMs: number, nowMs: number): Promise<boolean> {
    if (typeof this.#markerOffset === 'number' && this.#cutter.nextOffset > this.#markerOffset) {
      this.#markerOffset = undefined;
    }
    const waiting = this.#openSinceMs !== undefined && nowMs - this.#openSinceMs >= ageMs;
    if (!waiting || !this.#owned || this.#busy || this.lag > 0 || this.#markerOffset !== undefined)
      return false;
    this.#markerOffset = 'sending';
    try {
      this.#markerOffset = await this.#ports.appendMarker(bounds);
      return true;
    } catch {
      // The broker is away: the next call tries again, the consumer itself reports the broker.
      this.#markerOffset = undefined;
      return false;
    }
  }
}
