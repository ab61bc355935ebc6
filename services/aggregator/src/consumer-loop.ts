/*
 * Which partitions are ours, each with its worker, and what is done with every batch that is fetched. Knows of the
 * broker only what it is told and the ports it was given: `consume.ts` drives it with kafkajs, the simulation in
 * `test/simulation` with a model. What kafkajs is known to get wrong is checked here.
 */
import type { LogMessage } from './block-cutter.js';
import type { LoopParts, TopicPartition } from './consumer-parts.js';
import { type OpenPartition, openPartition } from './open-partition.js';
import type { Taken } from './partition-worker.js';

/** How often in a row a message may be looked for that a new owner must see, before the process gives up. */
const LOOKS_MAX = 20;
/** Before a partition is opened again whose ledger or log could not be read, with jitter. */
const REOPEN_MS = 1_000;

/** Messages of one partition in the order of the log, and the log's end as told with them. */
export type FetchedBatch = TopicPartition & {
  readonly messages: readonly LogMessage[];
  readonly endOffset: number;
};

/** What becomes of a batch. */
export type BatchFate =
  /** Taken: go on behind its last message. */
  | { readonly kind: 'done' }
  /** Not taken, or not all of it: fetch again from where the partition stands, or where `seek` said. */
  | { readonly kind: 'again' }
  /** The message at this offset has a schema of the future: the partition waits, the others go on. */
  | { readonly kind: 'pause'; readonly offset: number };

export class ConsumerLoop {
  readonly #parts: LoopParts;
  /** By `topic:partition`, of the generation in force. */
  readonly #partitions = new Map<string, OpenPartition>();
  /** By `topic:partition`: how often a message was looked for in vain. */
  readonly #looks = new Map<string, number>();
  /** Names in the readiness of partitions whose ledger or log could not be read when last asked. */
  readonly #unanswered = new Set<string>();
  /** Raised on every change of ownership: work begun before it is void. */
  #generation = 0;

  constructor(parts: LoopParts) {
    this.#parts = parts;
  }

  /** Ownership changes: nothing is ours until batches come again. */
  loseAll(): void {
    this.#generation += 1;
    for (const { worker } of this.#partitions.values()) worker.lose();
    this.#partitions.clear();
    this.#looks.clear();
    for (const dependency of this.#unanswered) this.#parts.readiness.report(dependency);
    this.#unanswered.clear();
    this.#parts.metrics.lag.reset();
  }

  /**
   * Ownership begins. Fetching starts at the last message that was committed, not behind it: by that message the log
   * is told from one that was made anew, also where such a log ends at the commit or before it and no more comes.
   */
  async assign(partitions: readonly TopicPartition[]): Promise<void> {
    this.loseAll();
    const generation = this.#generation;
    const { broker } = this.#parts;
    const begin = async (at: TopicPartition): Promise<void> => {
      const read = await this.#ask(
        async () => ({ committed: await broker.readCommitted(at), span: await broker.readLogSpan(at) }),
        at,
      );
      if (generation !== this.#generation || this.#partitions.has(keyOf(at))) return;
      if (read === undefined) return begin(at);
      const { committed, span } = read;
      if (committed !== undefined) {
        broker.seek(at, Math.max(span.start, Math.min(committed.offset, span.end) - 1));
      }
    };
    await Promise.all(partitions.map(begin));
  }

  /** Resolves when the blocks in hand are stored or given up. */
  async idle(): Promise<void> {
    await Promise.all([...this.#partitions.values()].map(({ worker }) => worker.idle()));
  }

  /** Never rejects for what is in the batch or for a store that is away. */
  async takeBatch(batch: FetchedBatch): Promise<BatchFate> {
    const { topic, partition } = batch;
    const { metrics, timing } = this.#parts;
    const generation = this.#generation;
    const open = await this.#partitionOf(batch);
    if (open === undefined) return { kind: 'again' };
    const { worker } = open;
    const before = worker.nextOffset;
    const taken = await worker.take(batch.messages, batch.endOffset, timing.nowMs);
    // What was read by then is read again by the next owner; the partition's place is no longer ours to move.
    if (generation !== this.#generation) return { kind: 'again' };
    metrics.lag.set({ topic, partition }, worker.lag);
    metrics.messages.inc({ topic }, Math.max(0, worker.nextOffset - before));
    return this.#fateOf(batch, open, taken);
  }

  async #fateOf(batch: FetchedBatch, open: OpenPartition, taken: Taken): Promise<BatchFate> {
    if (taken.kind === 'taken') return { kind: 'done' };
    if (taken.kind === 'unknown_schema') return { kind: 'pause', offset: taken.offset };
    if (taken.kind === 'jumped') await this.#handleJump(batch, open, taken);
    if (taken.kind === 'shrunk') {
      this.#close(batch, open);
      this.#fetchAgain(batch);
    }
    return { kind: 'again' };
  }

  /**
   * Said in so many words: kafkajs may go on behind messages it was not told are done, and where those were the last
   * of the log, no further batch would show it.
   */
  #fetchAgain(batch: FetchedBatch): void {
    const [first] = batch.messages;
    if (first !== undefined) this.#parts.broker.seek(batch, first.offset);
  }

  /** Ends waiting blocks, and watches for a consumer that stands still without saying so. Called often. */
  tick(): void {
    const { options, timing, readiness, fail } = this.#parts;
    const nowMs = timing.nowMs();
    for (const [key, { worker }] of this.#partitions) {
      void worker.endWaitingBlock(options.bounds, options.markerAgeMs, nowMs);
      const still = worker.lag > 0 && nowMs - worker.progressMs > options.stallTimeoutMs;
      if (still && readiness.state().ready) {
        fail(new Error(`${key} stands still with a lag of ${worker.lag} messages`));
      }
    }
  }

  async #partitionOf(batch: FetchedBatch): Promise<OpenPartition | undefined> {
    const key = keyOf(batch);
    const known = this.#partitions.get(key);
    const stream = this.#parts.streams.get(batch.topic);
    if (known !== undefined || stream === undefined) return known;
    const generation = this.#generation;
    const opened = await this.#ask(() => openPartition(this.#parts, stream, batch, batch.messages), batch);
    // Ownership changed while the ledger was read: whoever owns the partition now opens it anew.
    if (this.#generation !== generation) return undefined;
    if (opened === undefined) {
      this.#fetchAgain(batch);
      return undefined;
    }
    if (opened.kind === 'look') {
      this.#lookFor(batch, opened.offset);
      return undefined;
    }
    this.#looks.delete(key);
    this.#partitions.set(key, opened);
    return opened;
  }

  /** A handler that throws would stop all partitions, so what cannot be opened now is tried with the next batch. */
  async #ask<T>(ask: () => Promise<T>, { topic, partition }: TopicPartition): Promise<T | undefined> {
    const { readiness, logger, timing } = this.#parts;
    const dependency = `start of ${topic}:${partition}`;
    const generation = this.#generation;
    try {
      const answer = await ask();
      if (this.#unanswered.delete(dependency)) readiness.report(dependency);
      return answer;
    } catch (error) {
      if (generation !== this.#generation) return undefined;
      this.#unanswered.add(dependency);
      readiness.report(dependency, error instanceof Error ? error.message : String(error));
      logger.warn({ err: error, topic, partition }, 'ledger or log cannot be read, trying again');
      await timing.delay(REOPEN_MS * (0.5 + timing.random() / 2));
      return undefined;
    }
  }

  #lookFor(batch: FetchedBatch, offset: number): void {
    const key = keyOf(batch);
    const looks = (this.#looks.get(key) ?? 0) + 1;
    this.#looks.set(key, looks);
    if (looks > LOOKS_MAX) {
      this.#parts.fail(
        new Error(
          `${key}: the message at offset ${offset}, the last in the ledger, cannot be fetched though the log reaches over it`,
        ),
      );
    }
    this.#parts.broker.seek(batch, offset);
  }

  /**
   * Offsets in our topics have no holes, so a jump is either kafkajs going on behind messages it was not told are
   * done (it happens around rebalances), which is fetched again, or messages the broker deleted: a loss, unless
   * another owner booked them before, in whose place we then start.
   */
  async #handleJump(
    batch: FetchedBatch,
    open: OpenPartition,
    { from, to }: { from: number; to: number },
  ): Promise<void> {
    const { topic, partition } = batch;
    const { broker, store, cluster, metrics, logger } = this.#parts;
    const generation = this.#generation;
    const read = await this.#ask(async () => {
      const span = await broker.readLogSpan({ topic, partition });
      const position =
        span.start > from ? await store.readPosition({ cluster, topic, partition }) : undefined;
      return { logStart: span.start, bookedTo: position?.epoch === open.epoch ? position.lastOffset : -1 };
    }, batch);
    if (generation !== this.#generation) return;
    if (read === undefined) {
      broker.seek(batch, from);
      return;
    }
    const { logStart, bookedTo } = read;
    if (logStart <= from) {
      logger.warn({ topic, partition, from, to }, 'offsets jumped: fetching again from where we were');
    } else if (bookedTo >= from) {
      this.#close(batch, open);
    } else {
      metrics.offsetGaps.inc({ topic });
      logger.error({ topic, partition, from, to, logStart }, 'messages were deleted before they were stored');
      open.worker.allowJump(logStart);
    }
    broker.seek(batch, Math.max(from, logStart));
  }

  /** The partition is opened anew by the next batch. */
  #close(at: TopicPartition, { worker }: OpenPartition): void {
    worker.lose();
    this.#partitions.delete(keyOf(at));
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}
