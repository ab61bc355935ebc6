/*
 * How long to wait before a partition is fetched again from the same place: not at all the first time, then longer
 * each time up to a second, with jitter, so that a partition that does not change is not fetched in a busy loop.
 */
import type { Timing } from '../store/timing.js';
import { partitionKey, type TopicPartition } from './topic-partition.js';

const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 1_000;

export type Refetch = {
  /** Since the last progress, from 1 on. */
  readonly attempt: number;
  readonly afterMs: number;
  /** Whether it is worth a line in the log: attempts 1, 2, 4, 8 and so on. */
  readonly sampled: boolean;
};

export class RefetchPauses {
  readonly #timing: Pick<Timing, 'random'>;
  /** By partition, since its last progress. */
  readonly #last = new Map<string, Refetch>();

  constructor(timing: Pick<Timing, 'random'>) {
    this.#timing = timing;
  }

  next(at: TopicPartition): Refetch {
    const attempt = (this.#last.get(partitionKey(at))?.attempt ?? 0) + 1;
    const ceilingMs = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** (attempt - 2));
    const afterMs = attempt === 1 ? 0 : ceilingMs * (0.5 + this.#timing.random() / 2);
    const refetch = { attempt, afterMs, sampled: Number.isInteger(Math.log2(attempt)) };
    this.#last.set(partitionKey(at), refetch);
    return refetch;
  }

  /** The pause that `next` gave last; 0 where there was progress since. */
  lastMs(at: TopicPartition): number {
    return this.#last.get(partitionKey(at))?.afterMs ?? 0;
  }

  forget(at: TopicPartition): void {
    this.#last.delete(partitionKey(at));
  }

  clear(): void {
    this.#last.clear();
  }
}
