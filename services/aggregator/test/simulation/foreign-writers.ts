/*
 * Others who write to the topic within transactions, as a mirror of another cluster does, or whose messages compaction
 * removes. They have a separate random source, so that a seed without them is the run it was before there were any.
 */
import type { LogMessage } from '../../src/blocks/block-cutter.js';
import { batchMessage } from '../log-of-messages.js';
import type { ModelBroker } from './model-broker.js';
import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

/** Longest that a transaction stays open: beyond the time after which a process gives a partition up. */
const TRANSACTION_MS_MAX = 150_000;

export class ForeignWriters {
  readonly #broker: ModelBroker;
  readonly #time: VirtualTime;
  readonly #random: Random;
  #sequence = 0;
  /** Transactions that are open. */
  pending = 0;

  constructor(broker: ModelBroker, time: VirtualTime, random: Random) {
    this.#broker = broker;
    this.#time = time;
    this.#random = random;
  }

  /** Something of all this, at times within the next `lastsMs`. */
  write(lastsMs: number): void {
    const random = this.#random;
    for (let left = random.pick([0, 0, 2, 6]); left > 0; left--) {
      this.#time.after(random.integer(0, lastsMs), () =>
        random.chance(0.2) ? this.#compact() : this.#transact(),
      );
    }
  }

  #transact(): void {
    const random = this.#random;
    const partition = random.integer(0, this.#broker.partitions - 1);
    const life = this.#broker.log(partition);
    const transaction = {};
    const messages = random.integer(1, 5);
    const step = (left: number): void => {
      // With its topic, or with the end of its log, a transaction is gone.
      const gone = left < messages && !life.transactions.has(transaction);
      if (this.#broker.log(partition) !== life || gone) {
        this.pending -= 1;
        return;
      }
      if (left === 0) {
        this.#broker.endTransaction(partition, transaction, random.pick(['commit', 'abort']));
        this.pending -= 1;
        return;
      }
      this.#broker.appendWithin(partition, transaction, this.#message(partition));
      const longest = left === 1 && random.chance(0.1) ? TRANSACTION_MS_MAX : 2_000;
      this.#time.after(random.integer(0, longest), () => step(left - 1));
    };
    this.pending += 1;
    step(messages);
  }

  /** Messages that are gone before anybody reads them, and one that is not. */
  #compact(): void {
    const partition = this.#random.integer(0, this.#broker.partitions - 1);
    this.#broker.appendCompacted(partition, this.#random.integer(1, 4));
    this.#broker.append(partition, this.#message(partition));
  }

  /** Seldom a batch as ours are: a mirrored topic holds those too. */
  #message(partition: number): Pick<LogMessage, 'value' | 'headers'> {
    if (this.#random.chance(0.7)) return { value: Buffer.from('not ours'), headers: undefined };
    return batchMessage({ boot: 'foreign0', sequence: this.#sequence++, records: 2 }, partition);
  }
}
