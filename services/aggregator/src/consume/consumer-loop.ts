/*
 * Which partitions this process owns, each with its worker, and what is done with every fetched batch. Reaches the broker
 * only through ports: `consume.ts` drives it with kafkajs, the simulation in `test/simulation` with a model. Known defects
 * of kafkajs's consumer are handled here.
 */
import type { FetchedMessages, LoopContext } from './loop-context.js';
import { type OpenPartition, openPartition } from './open-partition.js';
import type { Consumed } from './partition-worker.js';
import { ProgressReport } from './progress-report.js';
import { RefetchPauses } from './refetch-pauses.js';
import { partitionKey, type TopicPartition } from './topic-partition.js';

/** How often in a row the message that a new owner must see is fetched before the process gives up. */
const FETCHES_MAX = 20;
/** Before a partition is opened again whose ledger or log could not be read, with jitter. */
const REOPEN_MS = 1_000;

export type FetchedBatch = TopicPartition & FetchedMessages;

/** What happens to a batch. */
export type BatchFate =
  /** Consumed: continue after the last offset it covers. */
  | { readonly kind: 'done' }
  /** Not consumed completely: fetch again after a pause, from the partition's position, or from where `seek` set it. */
  | { readonly kind: 'again'; readonly afterMs: number }
  /** The message at this offset has a schema of the future: the partition waits, the others go on. */
  | { readonly kind: 'pause'; readonly offset: number };

export class ConsumerLoop {
  readonly #context: LoopContext;
  /** By `topic:partition`, of the generation in force. */
  readonly #partitions = new Map<string, OpenPartition>();
  /** All that are assigned to us, by `topic:partition`. */
  readonly #assigned = new Map<string, Assigned>();
  readonly #pauses: RefetchPauses;
  readonly #progress: ProgressReport;
  /** Batches that are being consumed. */
  #consuming = 0;
  /** Names in the readiness of partitions whose ledger or log could not be read at the last attempt. */
  readonly #unanswered = new Set<string>();
  /** Raised on every change of ownership: work begun before it is void. */
  #generation = 0;

  constructor(context: LoopContext) {
    this.#context = context;
    this.#pauses = new RefetchPauses(context.timing);
    this.#progress = new ProgressReport(context);
  }

  /** Ownership changes: nothing is owned until batches arrive again. */
  loseAll(): void {
    this.#generation += 1;
    for (const { worker } of this.#partitions.values()) worker.lose();
    this.#partitions.clear();
    this.#assigned.clear();
    this.#pauses.clear();
    this.#progress.clear();
    for (const dependency of this.#unanswered) this.#context.readiness.report(dependency);
    this.#unanswered.clear();
    this.#context.metrics.lag.reset();
  }

  /**
   * Ownership begins. Fetching starts at the last committed message, not after it: that message distinguishes the log
   * from one that was created again, also where such a log ends at the commit or before it and no more messages arrive.
   */
  async assign(partitions: readonly TopicPartition[]): Promise<void> {
    this.loseAll();
    const generation = this.#generation;
    const { broker, timing } = this.#context;
    for (const at of partitions) {
      this.#assigned.set(partitionKey(at), { at, begunAt: undefined, sinceMs: timing.nowMs(), waits: false });
    }
    const begin = async (at: TopicPartition): Promise<void> => {
      const read = await this.#ask(
        async () => ({ committed: await broker.readCommitted(at), span: await broker.readLogSpan(at) }),
        at,
      );
      if (generation !== this.#generation) return;
      if (read === undefined) return begin(at);
      const { committed, span } = read;
      const begunAt = Math.max(span.start, Math.min(committed?.offset ?? 0, span.end));
      const assigned = this.#assigned.get(partitionKey(at));
      if (assigned !== undefined) assigned.begunAt = begunAt;
      if (committed !== undefined) broker.seek(at, Math.max(span.start, begunAt - 1));
      broker.resume(at);
    };
    await Promise.all(partitions.map(begin));
  }

  /** Resolves when the blocks in hand are stored or given up. */
  async idle(): Promise<void> {
    await Promise.all([...this.#partitions.values()].map(({ worker }) => worker.idle()));
  }

  /** Never rejects for what is in the batch or for a store that is away. */
  async consumeBatch(batch: FetchedBatch): Promise<BatchFate> {
    this.#consuming += 1;
    try {
      const fate = await this.#consume(batch);
      const assigned = this.#assigned.get(partitionKey(batch));
      if (assigned !== undefined) assigned.waits = fate.kind === 'pause';
      return fate;
    } finally {
      this.#consuming -= 1;
    }
  }

  async #consume(batch: FetchedBatch): Promise<BatchFate> {
    const { topic } = batch;
    const { metrics, timing } = this.#context;
    const generation = this.#generation;
    const open = await this.#partitionOf(batch);
    if (open === undefined) return { kind: 'again', afterMs: this.#pauses.lastMs(batch) };
    const { worker } = open;
    const { messages, holes } = worker;
    const consumed = await worker.consume(batch, timing.nowMs);
    // The next owner reads it again; this process must not move the partition's position any more.
    if (generation !== this.#generation) return AGAIN;
    metrics.messages.inc({ topic }, worker.messages - messages);
    metrics.holes.inc({ topic }, worker.holes - holes);
    return this.#fateOf(batch, open, consumed);
  }

  async #fateOf(batch: FetchedBatch, open: OpenPartition, consumed: Consumed): Promise<BatchFate> {
    if (consumed.kind === 'consumed') {
      this.#pauses.forget(batch);
      return { kind: 'done' };
    }
    if (consumed.kind === 'unknown_schema') return { kind: 'pause', offset: consumed.offset };
    if (consumed.kind === 'jumped') return this.#handleJump(batch, open, consumed);
    if (consumed.kind === 'shrunk') {
      this.#close(batch, open);
      this.#fetchAgain(batch);
    }
    return AGAIN;
  }

  /**
   * Seeks explicitly: kafkajs may skip messages that were not resolved, and where those were the last of the log, no
   * further batch would show it.
   */
  #fetchAgain(batch: FetchedBatch): void {
    this.#context.broker.seek(batch, batch.fetchedFrom);
  }

  /** Ends waiting blocks, and reports partitions that make no progress. Called often. */
  tick(): void {
    const { options, timing, broker } = this.#context;
    const nowMs = timing.nowMs();
    for (const { at, begunAt, sinceMs, waits } of this.#assigned.values()) {
      const log = broker.fetchedLog(at);
      const worker = this.#partitions.get(partitionKey(at))?.worker;
      if (worker !== undefined) {
        if (log !== undefined) worker.observeEnds(log);
        void worker.endWaitingBlock(options.bounds, options.markerAgeMs, nowMs);
        void worker.commitHoles(options.markerAgeMs, nowMs);
      }
      const nextOffset = worker?.nextOffset ?? begunAt;
      if (waits || nextOffset === undefined) {
        this.#progress.forget(at);
        continue;
      }
      const progressMs = worker?.progressMs ?? sinceMs;
      const holdsUnstored = worker?.holdsUnstored(options.markerAgeMs, nowMs) ?? false;
      const fetchingWaits = this.#consuming > 0;
      this.#progress.report(
        at,
        { nextOffset: Math.max(nextOffset, log?.start ?? 0), progressMs, holdsUnstored, log, fetchingWaits },
        nowMs,
      );
    }
  }

  async #partitionOf(batch: FetchedBatch): Promise<OpenPartition | undefined> {
    const key = partitionKey(batch);
    const known = this.#partitions.get(key);
    const stream = this.#context.streams.get(batch.topic);
    if (known !== undefined || stream === undefined) return known;
    const generation = this.#generation;
    const opened = await this.#ask(() => openPartition(this.#context, stream, batch), batch);
    // Ownership changed while the ledger was read: the present owner opens the partition again.
    if (this.#generation !== generation) return undefined;
    if (opened === undefined) {
      this.#fetchAgain(batch);
      return undefined;
    }
    if (opened.kind === 'fetch_first') {
      this.#fetchFirst(batch, opened.offset);
      return undefined;
    }
    this.#pauses.forget(batch);
    this.#partitions.set(key, opened);
    return opened;
  }

  /** A handler that throws would stop all partitions, so what cannot be opened now is tried with the next batch. */
  async #ask<T>(ask: () => Promise<T>, { topic, partition }: TopicPartition): Promise<T | undefined> {
    const { readiness, logger, timing } = this.#context;
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

  #fetchFirst(batch: FetchedBatch, offset: number): void {
    const { attempt } = this.#pauses.next(batch);
    if (attempt > FETCHES_MAX) {
      this.#context.fail(
        new Error(
          `${partitionKey(batch)}: the message at offset ${offset}, the last in the ledger, cannot be fetched though the log reaches over it`,
        ),
      );
    }
    this.#context.broker.seek(batch, offset);
  }

  /**
   * The batch does not follow on what was read. Either kafkajs skipped messages that were not resolved (it happens
   * around rebalances), which are fetched again, or the broker deleted messages: a loss, unless another owner
   * recorded them before; then the partition is opened again after them.
   */
  async #handleJump(
    batch: FetchedBatch,
    open: OpenPartition,
    { from, to }: { from: number; to: number },
  ): Promise<BatchFate> {
    const { topic, partition } = batch;
    const { broker, store, cluster, metrics, logger } = this.#context;
    const generation = this.#generation;
    const read = await this.#ask(async () => {
      const span = await broker.readLogSpan({ topic, partition });
      const position =
        span.start > from ? await store.readPosition({ cluster, topic, partition }) : undefined;
      return { logStart: span.start, recordedTo: position?.epoch === open.epoch ? position.lastOffset : -1 };
    }, batch);
    if (generation !== this.#generation) return AGAIN;
    if (read === undefined) {
      broker.seek(batch, from);
      return AGAIN;
    }
    const { logStart, recordedTo } = read;
    const { attempt, afterMs, sampled } = this.#pauses.next(batch);
    if (logStart <= from) {
      metrics.refetches.inc({ topic });
      if (sampled)
        logger.warn({ topic, partition, from, to, attempt }, 'messages were skipped: fetching again');
    } else if (recordedTo >= from) {
      this.#close(batch, open);
    } else if (open.worker.allowDeleted(logStart)) {
      metrics.offsetGaps.inc({ topic });
      logger.error({ topic, partition, from, to, logStart }, 'messages were deleted before they were stored');
    }
    broker.seek(batch, Math.max(from, logStart));
    return { kind: 'again', afterMs };
  }

  /** The next batch opens the partition again. */
  #close(at: TopicPartition, { worker }: OpenPartition): void {
    worker.lose();
    this.#partitions.delete(partitionKey(at));
  }
}

/** A partition that the group assigned to us. */
type Assigned = {
  readonly at: TopicPartition;
  /** What was committed, or where the log starts: read from there on until the partition is opened. */
  begunAt: number | undefined;
  readonly sinceMs: number;
  /** For a newer version that knows the schema of its next message. */
  waits: boolean;
};

const AGAIN: BatchFate = { kind: 'again', afterMs: 0 };
