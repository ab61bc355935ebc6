/*
 * The sequences of an incarnation's batches: from 0 without gaps for each topic and partition, so that consumers detect
 * a loss. A sequence whose batch certainly is not in the log is returned and used again.
 */
import type { BatchId } from '@imscope/schemas/batch-headers.js';
import type { EdgeTopic } from '../kafka/kafka-producer.js';

export class Sequences {
  readonly #incarnation: string;
  /** The first sequence of a partition that has none yet. */
  readonly #first: (topic: EdgeTopic, partition: number) => number;
  readonly #upcoming = new Map<string, number>();

  constructor(incarnation: string, first: (topic: EdgeTopic, partition: number) => number) {
    this.#incarnation = incarnation;
    this.#first = first;
  }

  next(topic: EdgeTopic, partition: number): BatchId {
    const key = `${topic}/${partition}`;
    const sequence = this.#upcoming.get(key) ?? this.#first(topic, partition);
    this.#upcoming.set(key, sequence + 1);
    return { boot: this.#incarnation, partition, sequence };
  }

  /** All later sequences of its partition must be returned too: a round of the log fails completely. */
  return(topic: EdgeTopic, id: BatchId): void {
    const key = `${topic}/${id.partition}`;
    const next = this.#upcoming.get(key);
    if (id.boot !== this.#incarnation || id.sequence < 0 || next === undefined) return;
    this.#upcoming.set(key, Math.min(next, id.sequence));
  }
}
