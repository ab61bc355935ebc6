/*
 * How far Kafka has what a boot logged: per topic and partition the greatest sequence, for within a partition
 * batches are acknowledged in order. Noted in the log now and then, so that a restart sends little again.
 */
import type { BatchId } from '@imscope/schemas/batch-headers.js';
import type { Acknowledged } from './segment-head.js';

export class Acknowledgements {
  readonly #greatest = new Map<string, Acknowledged>();
  /** True while something is not noted in the log. */
  changed = false;

  note(topic: Acknowledged['topic'], { partition, sequence }: Pick<BatchId, 'partition' | 'sequence'>): void {
    const key = `${topic}/${partition}`;
    if ((this.#greatest.get(key)?.sequence ?? -1) >= sequence) return;
    this.#greatest.set(key, { topic, partition, sequence });
    this.changed = true;
  }

  has(
    topic: Acknowledged['topic'],
    { partition, sequence }: Pick<BatchId, 'partition' | 'sequence'>,
  ): boolean {
    return sequence <= (this.#greatest.get(`${topic}/${partition}`)?.sequence ?? -1);
  }

  list(): Acknowledged[] {
    return [...this.#greatest.values()];
  }
}
