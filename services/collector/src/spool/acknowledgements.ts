/*
 * What Kafka has acknowledged of an incarnation: the greatest sequence of each topic and partition, since batches of a
 * partition are acknowledged in order. Written to the log from time to time, so that a restart sends few batches again.
 */
import type { BatchId } from '@imscope/schemas/batch-headers.js';
import type { Acknowledged } from './segment-head.js';

export class Acknowledgements {
  readonly #greatest = new Map<string, Acknowledged>();
  /** True while the log lacks something of it. */
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
