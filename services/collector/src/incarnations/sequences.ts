/*
 * The sequences of one boot's batches: from 0 without gaps for each topic and partition, so that whoever reads the
 * log sees a loss. A sequence whose batch surely never came into the log is given back.
 */
import type { BatchId } from '@imscope/schemas/batch-headers.js';
import type { EdgeTopic } from '../kafka/kafka-producer.js';

export class Sequences {
  readonly #incarnation: string;
  /** Where a partition goes on that was not asked for yet. */
  readonly #first: (topic: EdgeTopic, partition: number) => number;
  readonly #next = new Map<string, number>();

  constructor(incarnation: string, first: (topic: EdgeTopic, partition: number) => number) {
    this.#incarnation = incarnation;
    this.#first = first;
  }

  take(topic: EdgeTopic, partition: number): BatchId {
    const key = `${topic}/${partition}`;
    const sequence = this.#next.get(key) ?? this.#first(topic, partition);
    this.#next.set(key, sequence + 1);
    return { boot: this.#incarnation, partition, sequence };
  }

  /** All later ones of its partition must be given back too: a round of the log fails as a whole. */
  giveBack(topic: EdgeTopic, id: BatchId): void {
    const key = `${topic}/${id.partition}`;
    const next = this.#next.get(key);
    if (id.boot !== this.#incarnation || id.sequence < 0 || next === undefined) return;
    this.#next.set(key, Math.min(next, id.sequence));
  }
}
