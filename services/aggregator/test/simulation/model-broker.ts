/*
 * Kafka as far as the aggregator relies on it: one topic's logs with offsets and a first offset that moves on,
 * transactions, which hold reading back while they are open and leave holes when they end, a consumer group that hands partitions around while members have not heard of it yet, and commits that are taken
 * from anybody. A recreated topic starts at offset 0 under the same name.
 */
import type { DeadMessage, LogMessage } from '../../src/blocks/block-cutter.js';
import type { BlockPlace } from '../../src/blocks/block-content.js';
import type { FetchedMessages } from '../../src/consume/loop-context.js';
import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

/** One life of a partition. Messages before `start` cannot be fetched any more; they stay for the final check. */
export type Log = {
  start: number;
  readonly messages: LogMessage[];
  /** Offsets of messages that were deleted before anybody read them: a loss, and the only one there may be. */
  readonly lost: Set<number>;
  /** Offsets that hold no message for a reader; `messages` has an entry there that must not be read. */
  readonly holes: Map<number, Hole>;
  /** Open transactions with the offsets of their messages. */
  readonly transactions: Map<object, number[]>;
};

/** Compaction leaves nothing of a message; the broker answers with the other kinds, and the client leaves them out. */
export type Hole = 'control' | 'aborted' | 'compacted';

const NOTHING: Pick<LogMessage, 'value' | 'headers'> = { value: null, headers: undefined };

export type DeadLetter = { readonly place: BlockPlace; readonly dead: DeadMessage };

export type Member = {
  readonly name: string;
  /** Called late, or never where the process died. */
  readonly rebalancing: (generation: number) => void;
  readonly assigned: (generation: number, partitions: readonly number[]) => void;
};

export class ModelBroker {
  readonly partitions: number;
  /** By partition, every life of it; the last one is the log in force. */
  readonly lives: readonly Log[][];
  readonly deadLetters: DeadLetter[] = [];
  readonly commits = new Map<number, { offset: number; metadata: string }>();
  readonly #members: Member[] = [];
  readonly #time: VirtualTime;
  readonly #random: Random;
  #generation = 0;
  #rebalanceAsked = false;
  /** Longest that a member goes on without having heard of a rebalance. */
  deafnessMs = 3_000;

  constructor(partitions: number, time: VirtualTime, random: Random) {
    this.partitions = partitions;
    this.#time = time;
    this.#random = random;
    this.lives = Array.from({ length: partitions }, () => [newLog()]);
  }

  log(partition: number): Log {
    const log = this.lives[partition]?.at(-1);
    if (log === undefined) throw new Error(`no partition ${partition}`);
    return log;
  }

  append(partition: number, message: Pick<LogMessage, 'value' | 'headers'>): number {
    const { messages } = this.log(partition);
    const offset = messages.length;
    messages.push({ offset, appendedMs: this.#time.nowMs, ...message });
    return offset;
  }

  /** Messages that compaction removed at once: offsets that are never read. Something is appended after them. */
  appendCompacted(partition: number, count: number): void {
    const { holes } = this.log(partition);
    for (let hole = 0; hole < count; hole++) holes.set(this.append(partition, NOTHING), 'compacted');
  }

  /** Appends within a transaction, which begins with its first message. */
  appendWithin(partition: number, transaction: object, message: Pick<LogMessage, 'value' | 'headers'>): void {
    const { transactions } = this.log(partition);
    const offset = this.append(partition, message);
    const offsets = transactions.get(transaction);
    if (offsets === undefined) transactions.set(transaction, [offset]);
    else offsets.push(offset);
  }

  endTransaction(partition: number, transaction: object, end: 'commit' | 'abort'): void {
    const { transactions, holes } = this.log(partition);
    const offsets = transactions.get(transaction) ?? [];
    transactions.delete(transaction);
    if (end === 'abort') for (const offset of offsets) holes.set(offset, 'aborted');
    holes.set(this.append(partition, NOTHING), 'control');
  }

  /** Where the oldest open transaction begins, else the log's end. */
  stableOffset(partition: number): number {
    const { messages, transactions } = this.log(partition);
    return Math.min(messages.length, ...[...transactions.values()].flat());
  }

  /** Up to so many entries from an offset on; undefined where there is none. */
  fetch(partition: number, fetchedFrom: number, entriesMax: number): FetchedMessages | undefined {
    const { start, messages, holes } = this.log(partition);
    const stableOffset = this.stableOffset(partition);
    const entries = messages
      .slice(fetchedFrom, stableOffset)
      .filter(({ offset }) => holes.get(offset) !== 'compacted')
      .slice(0, entriesMax);
    const [first, last] = [entries[0], entries.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    return {
      messages: entries.filter(({ offset }) => !holes.has(offset)),
      fetchedFrom,
      firstOffset: first.offset,
      coveredTo: last.offset + 1,
      logStart: start,
      stableOffset,
      endOffset: messages.length,
    };
  }

  /** Deletes the topic and creates it again. Commits may outlive it, and take effect late, for nothing fences them. */
  recreate(): void {
    for (const [partition, commit] of this.commits) {
      if (this.#random.chance(0.5)) {
        this.#time.after(this.#random.integer(0, 30_000), () => this.commits.set(partition, commit));
      }
    }
    for (const lives of this.lives) lives.push(newLog());
    if (this.#random.chance(0.5)) this.commits.clear();
    this.#askRebalance();
  }

  /** A broker that lagged becomes the leader: the log loses its end, recorded or not, and continues with other messages. */
  truncate(partition: number, end: number): void {
    const { start, messages, holes, transactions } = this.log(partition);
    for (const transaction of transactions.keys()) this.endTransaction(partition, transaction, 'abort');
    const log = {
      ...newLog(),
      start: Math.min(start, end),
      messages: messages.slice(0, end),
      holes: new Map([...holes].filter(([offset]) => offset < end)),
    };
    for (let offset = 0; offset < log.start; offset++) log.lost.add(offset);
    this.lives[partition]?.push(log);
    this.#askRebalance();
  }

  join(member: Member): void {
    this.#members.push(member);
    this.#askRebalance();
  }

  leave(member: Member): void {
    const index = this.#members.indexOf(member);
    if (index >= 0) this.#members.splice(index, 1);
    this.#askRebalance();
  }

  /** A member that lost its way joins again. */
  rejoin(): void {
    this.#askRebalance();
  }

  #askRebalance(): void {
    if (this.#rebalanceAsked) return;
    this.#rebalanceAsked = true;
    this.#time.after(this.#random.integer(50, 1_000), () => {
      this.#rebalanceAsked = false;
      this.#rebalance();
    });
  }

  /** Members hear one after another; who has not heard yet fetches, stores, marks and commits as before. */
  #rebalance(): void {
    this.#generation += 1;
    const generation = this.#generation;
    const members = this.#random.shuffle(this.#members);
    members.forEach((member, index) => {
      const partitions = Array.from({ length: this.partitions }, (_, partition) => partition).filter(
        (partition) => (partition + generation) % members.length === index,
      );
      const heardMs = this.#random.integer(0, this.#random.chance(0.3) ? this.deafnessMs : 300);
      this.#time.after(heardMs, () => member.rebalancing(generation));
      this.#time.after(heardMs + this.#random.integer(1, 300), () => member.assigned(generation, partitions));
    });
  }
}

function newLog(): Log {
  return { start: 0, messages: [], lost: new Set(), holes: new Map(), transactions: new Map() };
}
