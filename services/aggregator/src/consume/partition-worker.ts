/*
 * One partition for as long as this process owns it: feeds the cutter, stores blocks one after another while the
 * next one fills, and ends a waiting block by a marker. A worker that lost its partition does nothing more.
 */
import type { BlockBounds } from '@imscope/schemas/block-bounds.js';
import type { Block, BlockCutter } from '../blocks/block-cutter.js';
import type { FetchedMessages } from './loop-context.js';
import { OwnershipLost } from '../store/store-block.js';

export type WorkerPorts = {
  readonly store: (block: Block, owned: () => boolean) => Promise<void>;
  /** Appends a marker with these bounds; gives its offset. */
  readonly appendMarker: (bounds: BlockBounds) => Promise<number>;
  /** Remembers that there are no messages from the last block's end up to `readTo`, and the bounds in force there. */
  readonly commitRead: (at: {
    readonly nextOffset: number;
    readonly readTo: number;
    readonly bounds: BlockBounds;
  }) => Promise<void>;
  /** A block could not be stored and never will: the process must end. */
  readonly fail: (error: Error) => void;
  readonly onLost: () => void;
};

export type Consumed =
  | { readonly kind: 'consumed' }
  /** Messages from `from` up to `to` may be missing: they were not requested, or the broker deleted them. Nothing was consumed. */
  | { readonly kind: 'jumped'; readonly from: number; readonly to: number }
  /** The log ends before the next offset: it is another log, or the batch is an old one. Nothing was consumed. */
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
  #stableOffset = 0;
  #deletedTo = 0;
  /** Up to there an earlier owner, or we, found no messages after the last block. */
  #readTo: number;
  /** Wall clock of the last offset read or block stored, for the progress watch. */
  progressMs: number;
  /** Read so far: messages, and offsets that hold none. */
  messages = 0;
  holes = 0;

  /** @param start.readTo up to where there are no messages, as an earlier owner found */
  constructor(
    cutter: BlockCutter,
    ports: WorkerPorts,
    start: { readonly nowMs: number; readonly readTo: number },
  ) {
    this.#cutter = cutter;
    this.#ports = ports;
    this.#readTo = start.readTo;
    this.progressMs = start.nowMs;
  }

  get nextOffset(): number {
    return this.#cutter.nextOffset;
  }

  /** Offsets between here and the end of the log as last observed, those of open transactions too. */
  get lag(): number {
    return Math.max(0, this.#endOffset - this.#cutter.nextOffset);
  }

  /** Of the lag, what can be read now: it ends where the oldest open transaction begins. */
  get readableLag(): number {
    return Math.max(0, Math.min(this.#stableOffset, this.#endOffset) - this.#cutter.nextOffset);
  }

  /** Whether messages were read that are not stored, though a marker should have ended their block by now. */
  holdsUnstored(markerAgeMs: number, nowMs: number): boolean {
    return this.#busy || (this.#openSinceMs !== undefined && nowMs - this.#openSinceMs > markerAgeMs);
  }

  /** The log as of a later answer of the broker than the last batch. */
  observeEnds({ end, stable }: { readonly end: number; readonly stable: number }): void {
    this.#endOffset = end;
    this.#stableOffset = stable;
  }

  /**
   * What lies before this offset was deleted from the log: the next batch may start there.
   * @returns whether messages may have been among it
   */
  allowDeleted(to: number): boolean {
    this.#deletedTo = to;
    return to > Math.max(this.#cutter.nextOffset, this.#readTo);
  }

  /** Another member owns the partition now. */
  lose(): void {
    this.#owned = false;
  }

  /** Resolves when the block in hand, if any, is stored or given up. */
  async idle(): Promise<void> {
    await this.#storing;
  }

  /**
   * Consumes messages in order; waits where a block is cut while the one before is still being stored. The broker answers
   * with everything from the requested offset on, so an offset that is missing after it is a hole.
   */
  async consume(fetched: FetchedMessages, nowMs: () => number): Promise<Consumed> {
    const from = this.#cutter.nextOffset;
    if (fetched.endOffset < from) return { kind: 'shrunk' };
    this.observeEnds({ end: fetched.endOffset, stable: fetched.stableOffset });
    const to = missingUpTo(fetched, from);
    if (to > Math.max(from, this.#deletedTo)) return { kind: 'jumped', from, to };
    this.#cutter.skipHoles(Math.min(this.#readTo, this.#deletedTo, fetched.firstOffset));
    this.#cutter.skipDeleted(Math.min(this.#deletedTo, fetched.firstOffset));
    const begin = this.#cutter.nextOffset;
    for (const message of fetched.messages) {
      if (message.offset < begin) continue;
      if (!this.#owned) return { kind: 'lost' };
      const { nextOffset } = this.#cutter;
      const pushed = this.#cutter.push(message);
      if (pushed.kind === 'unknown_schema') return { kind: 'unknown_schema', offset: message.offset };
      this.messages += 1;
      this.holes += message.offset - nextOffset;
      this.progressMs = nowMs();
      if (pushed.kind === 'cut') {
        this.#openSinceMs = undefined;
        await this.#storing;
        this.#storeInBackground(pushed.block, nowMs);
      } else if (this.#cutter.holdsMessages) this.#openSinceMs ??= nowMs();
    }
    if (fetched.coveredTo > this.#cutter.nextOffset) {
      this.holes += fetched.coveredTo - this.#cutter.nextOffset;
      this.#cutter.skipHoles(fetched.coveredTo);
      this.progressMs = nowMs();
    }
    return { kind: 'consumed' };
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
   * Called often. Where nothing but holes and markers follows the last block for `ageMs`, that is committed with the
   * block's end: once retention has deleted them, they cannot be distinguished from messages.
   */
  async commitHoles(ageMs: number, nowMs: number): Promise<void> {
    const { nextOffset: readTo, blockStart: nextOffset, bounds, holdsMessages } = this.#cutter;
    const known = Math.max(this.#readTo, nextOffset) >= readTo;
    if (known || holdsMessages || this.#busy || !this.#owned || nowMs - this.progressMs < ageMs) return;
    this.#readTo = readTo;
    await this.#ports.commitRead({ nextOffset, readTo, bounds });
  }

  /**
   * Called often. Appends a marker where all of the log that can be read was read, the open block holds messages older than
   * `ageMs`, and nothing is being stored: while the store is busy a larger block is worth more than a sooner one.
   */
  async endWaitingBlock(bounds: BlockBounds, ageMs: number, nowMs: number): Promise<boolean> {
    if (typeof this.#markerOffset === 'number' && this.#cutter.nextOffset > this.#markerOffset) {
      this.#markerOffset = undefined;
    }
    const waiting = this.#openSinceMs !== undefined && nowMs - this.#openSinceMs >= ageMs;
    if (!waiting || !this.#owned || this.#busy || this.readableLag > 0 || this.#markerOffset !== undefined)
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

/** Up to where messages may be missing that the partition has not read; the offset itself where none are. */
function missingUpTo({ fetchedFrom, firstOffset, logStart }: FetchedMessages, nextOffset: number): number {
  if (fetchedFrom > nextOffset) return fetchedFrom;
  // Deleted while the broker answered.
  return Math.max(nextOffset, Math.min(logStart, firstOffset));
}
