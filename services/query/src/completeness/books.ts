/*
 * What collectors say they sent and what the ledger says is stored, kept up as both grow. Held is what differs: of
 * batches that are stored and accounted for nothing stays but their number. No I/O; blocks come in the order of their
 * partition, accounts in the order of their boot.
 */
import { isKeyedBoot } from '@imscope/schemas/batch-headers.js';
import { TERM_BOUNDS } from '@imscope/schemas/retention.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { HOUR_MS, LOG_TERM_MS } from '../time-window.js';
import type { BatchRange } from '@imscope/accounting/batch-ranges.js';
import { type Account, BootBooks } from './boot-books.js';
import { KeyedBalance } from './keyed-balance.js';

/** A partition as the ledger names it. */
export type Place = {
  readonly cluster: string;
  /** With its prefix. */
  readonly topic: string;
  readonly epoch: number;
  readonly partition: number;
};

/** Batches of one boot, and when Kafka took their blocks. */
export type BookedBatches = BatchRange & {
  readonly boot: string;
  readonly firstAppendedMs: number;
  readonly lastAppendedMs: number;
};

/** A row of the ledger, as far as it is needed. */
export type BookedBlock = Place & {
  readonly lastOffset: number;
  readonly appendedMs: number;
  readonly batches: readonly BookedBatches[];
  /** Batches whose records are not in the store and will not come by themselves. */
  readonly expired: readonly { readonly boot: string; readonly sequence: number }[];
  readonly dead: readonly { readonly boot: string; readonly sequence: number }[];
  /** Records of keyed batches, whatever became of them, and all duplicates. */
  readonly keyedSeen: number;
};

/** Boots remembered; at the bound the one that was heard longest ago is forgotten. */
const BOOTS_MAX = 10_000;
/** Longest a batch of request logs may wait at any edge, and so longest that a boot matters after it was heard. */
export const EDGE_WAIT_MS_MAX = TERM_BOUNDS.edgeWaitHours.max * HOUR_MS;
const FORGET_EVERY_MS = 60_000;
const LOOK_EVERY_MS = 10_000;

export type PartitionState = {
  readonly partition: number;
  /** When Kafka took the last message that is stored; undefined where nothing is. */
  newestMs: number | undefined;
};

export class Books {
  readonly #boots = new Map<string, BootBooks>();
  /** Partitions of the request logs, by cluster, topic and partition; those that only accounts name by the last. */
  readonly #partitions = new Map<string, PartitionState>();
  /** Those the ledger knows. */
  readonly #booked = new Set<number>();
  readonly #keyed = new Map<number, KeyedBalance>();
  readonly #positions = new Map<string, Place & { lastOffset: number; appendedMs: number }>();
  /** Boots of which accounts came that were not read yet. */
  readonly #unread = new Set<string>();
  #forgotMs = 0;
  #lookedMs = 0;

  get boots(): Iterable<BootBooks> {
    return this.#boots.values();
  }

  get partitions(): Iterable<PartitionState> {
    return this.#partitions.values();
  }

  /** By partition, over all clusters and boots. */
  get keyedBalances(): ReadonlyMap<number, KeyedBalance> {
    return this.#keyed;
  }

  /** How far the ledger was read. */
  get positions(): readonly (Place & { readonly lastOffset: number; readonly appendedMs: number })[] {
    return [...this.#positions.values()];
  }

  /** Whether to look for partitions that were not there before: now and then, and where only accounts name one. */
  looksForPlaces(nowMs: number): boolean {
    const isNamed = [...this.#partitions.values()].some(({ newestMs }) => newestMs === undefined);
    return isNamed || this.#positions.size === 0 || nowMs - this.#lookedMs >= LOOK_EVERY_MS;
  }

  /** All partitions there are were found. */
  placesLookedFor(nowMs: number): void {
    this.#lookedMs = nowMs;
  }

  /** Boots whose accounts are to be read, each with the last that is known. */
  get unread(): readonly { readonly boot: string; readonly sequence: number }[] {
    return Array.from(this.#unread, (boot) => ({
      boot,
      sequence: this.#boots.get(boot)?.accountSequence ?? -1,
    }));
  }

  /** All accounts of these boots that are stored were read. */
  allRead(boots: readonly string[]): void {
    for (const boot of boots) this.#unread.delete(boot);
  }

  /** Takes a block behind those of its partition that were taken; the same row again changes nothing. */
  block(block: BookedBlock): void {
    const key = [block.cluster, block.topic, block.epoch, block.partition].join(' ');
    const position = this.#positions.get(key);
    if (position !== undefined && block.lastOffset <= position.lastOffset) return;
    const { cluster, topic, epoch, partition, lastOffset, appendedMs } = block;
    this.#positions.set(key, { cluster, topic, epoch, partition, lastOffset, appendedMs });
    if (topic.endsWith(TOPICS.edgeAccount.name)) this.#accountBlock(block);
    else if (topic.endsWith(TOPICS.requestLog.name)) this.#logBlock(block);
  }

  account(account: Account, nowMs: number): void {
    const boot = this.#boot(account.boot);
    const keyed = boot.account(account, nowMs - LOG_TERM_MS);
    if (keyed === undefined) return;
    for (const [partition, records] of keyed.records) {
      this.#keyedBalance(partition).account(records, keyed);
    }
    for (const { partition } of account.sent) {
      if (!this.#booked.has(partition)) this.#partitionState(`${partition}`, partition);
    }
  }

  /** Lets go of what no window reaches any more. */
  forget(nowMs: number): void {
    if (nowMs - this.#forgotMs < FORGET_EVERY_MS) return;
    this.#forgotMs = nowMs;
    const keptFromMs = nowMs - LOG_TERM_MS;
    for (const [key, boot] of this.#boots) {
      if (boot.lastSignMs < keptFromMs - EDGE_WAIT_MS_MAX) this.#boots.delete(key);
      else boot.forgetBefore(keptFromMs);
    }
    for (const balance of this.#keyed.values()) balance.forgetBefore(keptFromMs);
    for (const [key, { appendedMs }] of this.#positions) {
      if (appendedMs < keptFromMs) this.#positions.delete(key);
    }
    for (const [key, { newestMs }] of this.#partitions) {
      if (newestMs !== undefined && newestMs < keptFromMs) this.#partitions.delete(key);
    }
    this.#booked.clear();
    for (const { partition, newestMs } of this.#partitions.values()) {
      if (newestMs !== undefined) this.#booked.add(partition);
    }
  }

  #accountBlock({ batches }: BookedBlock): void {
    for (const { boot, lastAppendedMs } of batches) {
      this.#boot(boot).heard(lastAppendedMs);
      this.#unread.add(boot);
    }
  }

  #logBlock({ cluster, topic, partition, appendedMs, batches, expired, dead, keyedSeen }: BookedBlock): void {
    if (!this.#booked.has(partition)) this.#partitions.delete(`${partition}`);
    this.#booked.add(partition);
    const state = this.#partitionState(`${cluster} ${topic} ${partition}`, partition);
    state.newestMs = Math.max(state.newestMs ?? 0, appendedMs);
    this.#keyedBalance(partition).see(keyedSeen);
    for (const batch of batches) {
      if (isKeyedBoot(batch.boot)) continue;
      const boot = this.#boot(batch.boot);
      boot.seen(batch.firstAppendedMs, batch.lastAppendedMs);
      const left = expired.filter((one) => one.boot === batch.boot).map(({ sequence }) => sequence);
      for (const part of without(batch, left)) boot.track(partition).store(part);
    }
    for (const { boot, sequence } of [...expired, ...dead]) {
      if (!isKeyedBoot(boot)) this.#boot(boot).track(partition).settle(sequence);
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

  #boot(id: string): BootBooks {
    let boot = this.#boots.get(id);
    if (boot === undefined) {
      boot = new BootBooks(id);
      this.#boots.set(id, boot);
      if (this.#boots.size > BOOTS_MAX) this.#forgetOldest(id);
    }
    return boot;
  }

  #forgetOldest(except: string): void {
    const others = [...this.#boots.values()].filter(({ boot }) => boot !== except);
    const oldest = others.reduce((least, boot) => (boot.lastSignMs < least.lastSignMs ? boot : least));
    this.#boots.delete(oldest.boot);
  }
}

/** A range without some of its batches, which held no records. */
function without(range: BatchRange, sequences: readonly number[]): BatchRange[] {
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
