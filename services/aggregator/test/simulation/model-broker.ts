/*
 * Kafka as far as the aggregator relies on it: one topic's logs with offsets and a first offset that moves on, a
 * consumer group that hands partitions around while members have not heard of it yet, and commits that are taken
 * from anybody. A recreated topic starts at offset 0 under the same name.
 */
import type { DeadMessage, LogMessage } from '../../src/block-cutter.js';
import type { BlockPlace } from '../../src/block-content.js';
import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

/** One life of a partition. Messages before `start` cannot be fetched any more; they stay for the final check. */
export type Log = {
  start: number;
  readonly messages: LogMessage[];
  /** Offsets of messages that were deleted before anybody read them: a loss, and the only one there may be. */
  readonly lost: Set<number>;
};

export type DeadLetter = { readonly place: BlockPlace; readonly dead: DeadMessage };

export type Member = {
  readonly name: string;
  /** Told late, or never where it died. */
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

  /** Deletes the topic and creates it anew. Commits may outlive it, and land late, for nothing fences them. */
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

  /** A broker that lagged behind leads: the log loses its end, booked or not, and goes on with other messages. */
  truncate(partition: number, end: number): void {
    const { start, messages } = this.log(partition);
    const log = { ...newLog(), start: Math.min(start, end), messages: messages.slice(0, end) };
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
  return { start: 0, messages: [], lost: new Set() };
}
