/*
 * What collectors say they sent and what the ledger says is stored, kept up to date as both grow. Only differences are
 * kept: of batches that are stored and accounted for only the number remains. No I/O. Blocks are added in the order of
 * their partition, accounts in the order of their incarnation.
 */
import { isKeyedBoot } from '@imscope/schemas/batch-headers.js';
import { HOUR_MS, TERM_BOUNDS, TERM_HOURS } from '@imscope/schemas/retention.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { BatchRange } from '../batch-ranges.js';
import type { Place } from '../place.js';
import type { BookedRetirement } from '../retirement/booked-retirement.js';
import { type Account, IncarnationTrack } from './incarnation-track.js';
import { KeyedBalance } from './keyed-balance.js';

/** Batches of one incarnation, and when Kafka appended the blocks they are in. Epoch milliseconds. */
export type StoredBatches = BatchRange & {
  readonly boot: string;
  readonly firstAppendedMs: number;
  readonly lastAppendedMs: number;
};

/** A row of the ledger, or a summary of several. */
export type LedgerBlock = Place & {
  readonly lastOffset: number;
  readonly appendedMs: number;
  readonly batches: readonly StoredBatches[];
  /** Batches whose records are not in the store and will not arrive by themselves. */
  readonly expired: readonly { readonly boot: string; readonly sequence: number }[];
  readonly dead: readonly { readonly boot: string; readonly sequence: number }[];
  /** Records of keyed batches (stored, expired or dead), and all duplicates. */
  readonly keyedStored: number;
};

/** At the bound the incarnation without a sign for the longest time is forgotten. */
const INCARNATIONS_MAX = 10_000;
/** How long logs are kept, and so accounts and blocks are needed. */
const LOG_TERM_MS = TERM_HOURS.requestLog * HOUR_MS;
/** A batch of request logs waits no longer at any edge, so an incarnation matters no longer after its last sign. */
export const EDGE_WAIT_MS_MAX = TERM_BOUNDS.edgeWaitHours.max * HOUR_MS;
const FORGET_EVERY_MS = 60_000;
const SEARCH_EVERY_MS = 10_000;

export type PartitionState = {
  readonly partition: number;
  /** When Kafka appended the last message that is stored; undefined where nothing is. */
  newestMs: number | undefined;
};

export class RunningBalance {
  readonly #incarnations = new Map<string, IncarnationTrack>();
  /** Partitions of the request logs, by cluster, topic and partition; those that only accounts name by the last. */
  readonly #partitions = new Map<string, PartitionState>();
  /** Those in the ledger. */
  readonly #inLedger = new Set<number>();
  readonly #keyed = new Map<number, KeyedBalance>();
  readonly #positions = new Map<string, Place & { lastOffset: number; appendedMs: number }>();
  /** Incarnations with accounts that were not read yet. */
  readonly #unread = new Set<string>();
  #retirementsUnread = false;
  #forgotMs = 0;
  #searchedMs = 0;

  /** Those of collectors. */
  get incarnations(): readonly IncarnationTrack[] {
    return [...this.#incarnations.values()].filter(({ isRetirement }) => !isRetirement);
  }

  /** Whether an account was added that retires incarnations. */
  get retirementsUnread(): boolean {
    return this.#retirementsUnread;
  }

  /** Sets all retirements that are booked, by incarnation. */
  setRetirements(retirements: ReadonlyMap<string, BookedRetirement>): void {
    for (const [boot, retirement] of retirements) {
      const incarnation = this.#incarnations.get(boot);
      if (incarnation !== undefined) incarnation.retirement = retirement;
    }
    this.#retirementsUnread = false;
  }

  get partitions(): Iterable<PartitionState> {
    return this.#partitions.values();
  }

  /** By partition, over all clusters and incarnations. */
  get keyedBalances(): ReadonlyMap<number, KeyedBalance> {
    return this.#keyed;
  }

  /** How far the ledger was read. */
  get positions(): readonly (Place & { readonly lastOffset: number; readonly appendedMs: number })[] {
    return [...this.#positions.values()];
  }

  /** Whether to search for new partitions: now and then, and where only accounts name one. */
  isPlaceSearchDue(nowMs: number): boolean {
    const isNamed = [...this.#partitions.values()].some(({ newestMs }) => newestMs === undefined);
    return isNamed || this.#positions.size === 0 || nowMs - this.#searchedMs >= SEARCH_EVERY_MS;
  }

  /** All partitions in the ledger were found. */
  notePlaceSearch(nowMs: number): void {
    this.#searchedMs = nowMs;
  }

  /** Incarnations whose accounts are to be read, each with the sequence of the last one known. */
  get unread(): readonly { readonly boot: string; readonly sequence: number }[] {
    return Array.from(this.#unread, (boot) => ({
      boot,
      sequence: this.#incarnations.get(boot)?.accountSequence ?? -1,
    }));
  }

  /** All stored accounts of these incarnations were read. */
  noteAccountsRead(boots: readonly string[]): void {
    for (const boot of boots) this.#unread.delete(boot);
  }

  /** Adds the next block of its partition; a block that was added before changes nothing. */
  addBlock(block: LedgerBlock): void {
    const key = [block.cluster, block.topic, block.epoch, block.partition].join(' ');
    const position = this.#positions.get(key);
    if (position !== undefined && block.lastOffset <= position.lastOffset) return;
    const { cluster, topic, epoch, partition, lastOffset, appendedMs } = block;
    this.#positions.set(key, { cluster, topic, epoch, partition, lastOffset, appendedMs });
    if (topic.endsWith(TOPICS.edgeAccount.name)) this.#accountBlock(block);
    else if (topic.endsWith(TOPICS.requestLog.name)) this.#logBlock(block);
  }

  /** Adds the next account of its incarnation; one that was added before changes nothing. */
  addAccount(account: Account, nowMs: number): void {
    const keyed = this.#incarnation(account.boot).addAccount(account, nowMs - LOG_TERM_MS);
    if (keyed === undefined) return;
    if ((account.retires ?? 0) > 0) this.#retirementsUnread = true;
    for (const [partition, records] of keyed.records) {
      this.#keyedBalance(partition).account(records, keyed);
    }
    for (const { partition } of account.sent) {
      if (!this.#inLedger.has(partition)) this.#partitionState(`${partition}`, partition);
    }
  }

  /** Forgets what is older than any log that is kept. */
  forgetExpired(nowMs: number): void {
    if (nowMs - this.#forgotMs < FORGET_EVERY_MS) return;
    this.#forgotMs = nowMs;
    const keptFromMs = nowMs - LOG_TERM_MS;
    for (const [key, incarnation] of this.#incarnations) {
      if (incarnation.lastSignMs < keptFromMs - EDGE_WAIT_MS_MAX) this.#incarnations.delete(key);
      else incarnation.forgetBefore(keptFromMs);
    }
    for (const balance of this.#keyed.values()) balance.forgetBefore(keptFromMs);
    for (const [key, { appendedMs }] of this.#positions) {
      if (appendedMs < keptFromMs) this.#positions.delete(key);
    }
    for (const [key, { newestMs }] of this.#partitions) {
      if (newestMs !== undefined && newestMs < keptFromMs) this.#partitions.delete(key);
    }
    this.#inLedger.clear();
    for (const { partition, newestMs } of this.#partitions.values()) {
      if (newestMs !== undefined) this.#inLedger.add(partition);
    }
  }

  #accountBlock({ batches }: LedgerBlock): void {
    for (const { boot, lastAppendedMs } of batches) {
      this.#incarnation(boot).noteAccount(lastAppendedMs);
      this.#unread.add(boot);
    }
  }

  #logBlock({
    cluster,
    topic,
    partition,
    appendedMs,
    batches,
    expired,
    dead,
    keyedStored,
  }: LedgerBlock): void {
    if (!this.#inLedger.has(partition)) this.#partitions.delete(`${partition}`);
    this.#inLedger.add(partition);
    const state = this.#partitionState(`${cluster} ${topic} ${partition}`, partition);
    state.newestMs = Math.max(state.newestMs ?? 0, appendedMs);
    this.#keyedBalance(partition).store(keyedStored);
    for (const batch of batches) {
      if (isKeyedBoot(batch.boot)) continue;
      const incarnation = this.#incarnation(batch.boot);
      incarnation.noteStored(batch.firstAppendedMs, batch.lastAppendedMs);
      const without = expired.filter((one) => one.boot === batch.boot).map(({ sequence }) => sequence);
      for (const part of rangesWithout(batch, without)) incarnation.track(partition).store(part);
    }
    for (const { boot, sequence } of [...expired, ...dead]) {
      if (!isKeyedBoot(boot)) this.#incarnation(boot).track(partition).settle(sequence);
    }
  }

  #keyedBalance(partition: number): KeyedBalance {
    let balance = this.#keyed.get(partition);
    if (balance === undefined) this.#keyed.set(partition, (balance = new KeyedBalance()));
    return balance;
  }

  #partitionState(key: string, partition: number): PartitionState {
    let state = this.#partitions.get(key);
    if (state === undefined) {
      state = { partition, newestMs: undefined };
      this.#partitions.set(key, state);
    }
    return state;
  }

  #incarnation(id: string): IncarnationTrack {
    let incarnation = this.#incarnations.get(id);
    if (incarnation === undefined) {
      incarnation = new IncarnationTrack(id);
      this.#incarnations.set(id, incarnation);
      if (this.#incarnations.size > INCARNATIONS_MAX) this.#forgetOldest(id);
    }
    return incarnation;
  }

  #forgetOldest(except: string): void {
    const others = [...this.#incarnations.values()].filter(({ boot }) => boot !== except);
    const oldest = others.reduce((least, one) => (one.lastSignMs < least.lastSignMs ? one : least));
    this.#incarnations.delete(oldest.boot);
  }
}

/** A range without some of its batches, which held no records. */
function rangesWithout(range: BatchRange, sequences: readonly number[]): BatchRange[] {
  const left = sequences.filter((sequence) => sequence >= range.first && sequence <= range.last);
  if (left.length === 0) return [range];
  const edges = [range.first - 1, ...left.toSorted((a, b) => a - b), range.last + 1];
  const parts = edges.slice(1).map((edge, index) => ({ first: (edges[index] ?? 0) + 1, last: edge - 1 }));
  const kept = parts.filter(({ first, last }) => first <= last);
  const batches = kept.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const upTo = (count: number): number => Math.round((range.records * count) / batches);
  let before = 0;
  return kept.map(({ first, last }) => {
    const after = before + last - first + 1;
    const records = upTo(after) - upTo(before);
    before = after;
    return { first, last, records };
  });
}
