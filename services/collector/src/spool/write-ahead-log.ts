/*
 * The log of one incarnation: entries in order, in segments. Written entries survive the process being killed, synced
 * entries a failure of the machine. Entries are written in rounds, one after another. A round that fails is undone
 * completely, so that log and accounting always agree. The oldest segment is deleted once it has no holder.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@imscope/runtime/logger.js';
import { type EncodedEntry, encodeEntry } from './entry.js';
import { type Location, Segment } from './segment.js';
import type { SpoolSpace } from './spool-space.js';

/** The next segment begins at this size or age, whichever is reached first. */
const SEGMENT_BYTES = 16 << 20;
const SEGMENT_MS = 60_000;
/** Most bytes written, and synced, in one round. */
const ROUND_BYTES_MAX = 8 << 20;
/** While a round takes longer, the log counts as stalled: no request is accepted. */
const STALL_MS = 1_000;
/** Counted in steps of the event loop: while this process itself is busy, it cannot see the disk's answer. */
const STEP_MS = 100;
const RETRY_PAUSE_MS = 500;

/** `not_taken`: it is not in the log. `in_doubt`: it could be neither finished nor undone. */
export type Refusal = 'not_taken' | 'in_doubt';

type Item = {
  /** Called when its round begins: everything of earlier rounds is in the log and counted. */
  readonly make: () => readonly EncodedEntry[];
  /** True: it is the first of its round, so that nothing is logged but not counted when `make` is called. */
  readonly cut: boolean;
  readonly synced: boolean;
  readonly onLogged: (locations: readonly Location[]) => void;
  /** Undefined: it is retried until it is in the log. */
  readonly onRefused: ((refusal: Refusal, error: Error) => void) | undefined;
};

export type WriteAheadLogOptions = {
  readonly directory: string;
  readonly space: SpoolSpace;
  /** The first entries of a new segment: everything a recovery needs to continue from there. */
  readonly segmentHead: () => readonly EncodedEntry[];
  readonly logger: Logger;
  /** Segments that an earlier process left, oldest first. */
  readonly segments?: readonly Segment[];
};

export class WriteAheadLog {
  readonly #options: WriteAheadLogOptions;
  readonly #segments: Segment[];
  #current: Segment | undefined;
  #lastNumber = 0;
  #queue: Item[] = [];
  #running: Promise<void> | undefined;
  /** Since the round began; undefined between rounds. */
  #roundMs: number | undefined;
  #failure: string | undefined;
  #syncing: Promise<void> | undefined;
  #closed = false;

  constructor(options: WriteAheadLogOptions) {
    this.#options = options;
    this.#segments = [...(options.segments ?? [])];
  }

  /** Why nothing can be logged at the moment; undefined while it can. */
  get failure(): string | undefined {
    if (this.#failure !== undefined) return this.#failure;
    return this.#roundMs !== undefined && this.#roundMs > STALL_MS
      ? `the disk of the spool has not answered for ${this.#roundMs} ms`
      : undefined;
  }

  /** True while a round is being written or waiting. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Logs one entry after all requested before; `make` is called when its round begins. Exactly one of the callbacks is
   * called, in the order of the log and before anything of a later round is made.
   */
  append(options: {
    readonly make: () => EncodedEntry;
    readonly synced: boolean;
    readonly onLogged: (location: Location) => void;
    readonly onRefused: (refusal: Refusal, error: Error) => void;
  }): void {
    this.#enqueue({
      make: () => [options.make()],
      cut: false,
      synced: options.synced,
      onLogged: ([location]) => {
        assert(location !== undefined);
        options.onLogged(location);
      },
      onRefused: options.onRefused,
    });
  }

  /**
   * Logs what `make` returns. It is called when exactly everything before it is in the log and counted. Retried until
   * it succeeds, so that what `make` removed from the accounting is never lost.
   */
  cut(options: {
    readonly make: () => readonly EncodedEntry[];
    readonly synced: boolean;
    readonly onLogged: (locations: readonly Location[]) => void;
  }): void {
    const { make, synced, onLogged } = options;
    let made: readonly EncodedEntry[] | undefined;
    this.#enqueue({
      make: () => (made ??= make()),
      cut: true,
      synced,
      onLogged,
      onRefused: undefined,
    });
  }

  /** Syncs everything logged before the call. Rejects where a sync fails. */
  async sync(): Promise<void> {
    // A running sync may have begun before the last entry: wait for it, then start another for all callers.
    if (this.#syncing !== undefined) await this.#syncing.catch(() => undefined);
    this.#syncing ??= this.#syncAll().finally(() => {
      this.#syncing = undefined;
    });
    await this.#syncing;
  }

  /** A segment stays as long as it or an older one is held. */
  hold(number: number): void {
    this.#segment(number).holders += 1;
  }

  release(number: number): void {
    const segment = this.#segment(number);
    segment.holders -= 1;
    assert(segment.holders >= 0, `segment ${number} was released more often than held`);
    this.#removeFree();
  }

  /** The payload of an entry; undefined where it is damaged. */
  async read(location: Location): Promise<Buffer | undefined> {
    const entry = await this.#segment(location.segment).read(location);
    return entry?.payload;
  }

  /** Waits until nothing is left to be written. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Closes the files. With `remove` they are deleted. */
  async close(options: { readonly remove: boolean }): Promise<void> {
    this.#closed = true;
    await this.idle();
    await this.#syncing?.catch(() => undefined);
    for (const segment of this.#segments.splice(0)) {
      if (options.remove) {
        await segment.remove();
        this.#options.space.add(-segment.bytes);
      } else await segment.close();
    }
  }

  #segment(number: number): Segment {
    const segment = this.#segments.find((other) => other.number === number);
    assert(segment !== undefined, `segment ${number} does not exist`);
    return segment;
  }

  #enqueue(item: Item): void {
    this.#queue.push(item);
    this.#start();
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#queue.length > 0 && !this.#closed) this.#start();
    });
  }

  async #run(): Promise<void> {
    // Everything requested in this turn of the event loop goes into one round.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const failed = await this.#timedRound();
      if (failed && this.#queue.length > 0 && this.#queue.every(({ onRefused }) => onRefused === undefined)) {
        if (this.#closed) return;
        await sleep(RETRY_PAUSE_MS * (0.5 + Math.random()), undefined, { ref: false });
      }
    }
  }

  async #timedRound(): Promise<boolean> {
    this.#roundMs = 0;
    const timer = setInterval(() => (this.#roundMs = (this.#roundMs ?? 0) + STEP_MS), STEP_MS);
    timer.unref();
    try {
      return await this.#round();
    } finally {
      clearInterval(timer);
      this.#roundMs = undefined;
    }
  }

  /** @returns true where it failed: items that can be refused were refused, the others stay at the front */
  async #round(): Promise<boolean> {
    let segment: Segment;
    try {
      segment = await this.#writableSegment();
    } catch (error) {
      const items = this.#queue;
      this.#queue = [];
      this.#fail(items, 'not_taken', error);
      return true;
    }
    const { items, entries } = this.#drainRound();
    const placed = place(segment, entries);
    try {
      await segment.write(entries.flatMap((group) => group.flatMap(({ pieces }) => pieces)));
      segment.bytes = placed.end;
      if (items.some(({ synced }) => synced)) await segment.sync();
    } catch (error) {
      segment.bytes = placed.start;
      this.#fail(items, await this.#undo(segment), error);
      return true;
    }
    this.#logged(items, placed);
    return false;
  }

  #logged(items: readonly Item[], locations: Placed): void {
    this.#options.space.add(locations.end - locations.start);
    if (this.#failure !== undefined) {
      this.#failure = undefined;
      this.#options.logger.info('the spool can be written again');
    }
    items.forEach((item, index) => item.onLogged(locations.byItem[index] ?? []));
  }

  /** Items that can be refused are refused; the others wait at the front for the next round. */
  #fail(items: readonly Item[], refusal: Refusal, cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if (this.#failure === undefined) {
      this.#options.logger.error({ err: error }, 'the spool cannot be written: requests are refused');
    }
    this.#failure = `the spool cannot be written: ${error.message}`;
    this.#queue = [...items.filter(({ onRefused }) => onRefused === undefined), ...this.#queue];
    // Without an item to retry, nothing would notice that the disk works again.
    if (this.#queue.length === 0 && !this.#closed) this.#queue.push(PROBE);
    for (const { onRefused } of items) onRefused?.(refusal, error);
  }

  async #undo(segment: Segment): Promise<Refusal> {
    try {
      await segment.truncate();
      return 'not_taken';
    } catch (error) {
      this.#options.logger.error(
        { err: error, path: segment.path },
        'a half-written round cannot be removed',
      );
      // Nothing more is written after it: a new segment begins, and reading skips the damaged range.
      this.#current = undefined;
      return 'in_doubt';
    }
  }

  /** As many items as fit in a round, and their entries. */
  #drainRound(): { items: Item[]; entries: (readonly EncodedEntry[])[] } {
    const items: Item[] = [];
    const entries: (readonly EncodedEntry[])[] = [];
    let bytes = 0;
    for (const item of this.#queue) {
      if (bytes >= ROUND_BYTES_MAX || (item.cut && items.length > 0)) break;
      const made = item.make();
      items.push(item);
      entries.push(made);
      bytes += made.reduce((sum, entry) => sum + entry.bytes, 0);
    }
    this.#queue.splice(0, items.length);
    return { items, entries };
  }

  async #writableSegment(): Promise<Segment> {
    const nowMs = Date.now();
    const current = this.#current;
    const isWritable =
      current !== undefined &&
      !current.syncFailed &&
      current.bytes < SEGMENT_BYTES &&
      nowMs - current.openedMs < SEGMENT_MS;
    if (isWritable) return current;
    // A number is never reused: the file of a segment that is being removed may still exist.
    this.#lastNumber = Math.max(this.#lastNumber, this.#segments.at(-1)?.number ?? 0) + 1;
    const number = this.#lastNumber;
    const segment = await Segment.create(this.#options.directory, number, nowMs);
    try {
      const head = this.#options.segmentHead();
      await segment.write(head.flatMap(({ pieces }) => pieces));
      segment.bytes = head.reduce((sum, { bytes }) => sum + bytes, 0);
    } catch (error) {
      await segment.remove();
      throw error;
    }
    this.#options.space.add(segment.bytes);
    this.#segments.push(segment);
    this.#current = segment;
    this.#removeFree();
    return segment;
  }

  #removeFree(): void {
    for (;;) {
      const [oldest] = this.#segments;
      // Without a newer segment, whose head is needed for recovery, the last one stays.
      if (oldest === undefined || this.#current === undefined) return;
      if (oldest === this.#current || oldest.holders > 0) return;
      this.#segments.shift();
      this.#options.space.add(-oldest.bytes);
      oldest.remove().catch((error: unknown) => {
        this.#options.logger.error({ err: error, path: oldest.path }, 'a segment cannot be removed');
      });
    }
  }

  async #syncAll(): Promise<void> {
    for (const segment of this.#segments.slice()) {
      if (segment.synced || !this.#segments.includes(segment)) continue;
      try {
        await segment.sync();
      } catch (error) {
        // It may have been removed meanwhile.
        if (this.#segments.includes(segment)) throw error;
      }
    }
  }
}

/** An entry of 64 kB without content: writing it finds out whether the disk works again. */
const PROBE: Item = {
  make: () => [encodeEntry('mark', [Buffer.from('{}'.padEnd(64 << 10))])],
  cut: true,
  synced: true,
  onLogged: () => undefined,
  onRefused: undefined,
};

type Placed = {
  readonly start: number;
  readonly end: number;
  readonly byItem: readonly (readonly Location[])[];
};

function place(segment: Segment, entries: readonly (readonly EncodedEntry[])[]): Placed {
  const start = segment.bytes;
  let offset = start;
  const byItem = entries.map((group) =>
    group.map(({ bytes }) => {
      const location = { segment: segment.number, offset, bytes };
      offset += bytes;
      return location;
    }),
  );
  return { start, end: offset, byItem };
}
