/*
 * Logged batches of one topic → Kafka. Each partition has one produce request in flight, so that its sequences are in
 * order and without gaps; partitions are sent in parallel. A produce request without an answer is retried with the same
 * batches and ids until Kafka acknowledges it, and consumers drop the second copy.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { EXPIRED_HEADER, writeBatchHeaders } from '@imscope/schemas/batch-headers.js';
import type { Lane } from '@imscope/schemas/lanes.js';
import { MESSAGE_BYTES_MAX } from '@imscope/schemas/topics.js';
import { errorMessage } from '@imscope/runtime/error-message.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { KafkaAvailability } from '../kafka/kafka-availability.js';
import { isPartitionFault, type SendMessages } from '../kafka/kafka-producer.js';
import { expiredContainer } from './expired-batch.js';
import type { LoggedBatch } from './logged-batch.js';
import type { DeliveryMetrics } from './incarnation-metrics.js';
import type { BatchHead } from '../spool/batch-entry.js';

/** The first pause after a failed attempt; it doubles up to the maximum, with a jitter of ± 50 %. */
const RETRY_PAUSE_MS = 100;
const RETRY_PAUSE_MS_MAX = 2_000;
/** Without an answer for this long, Kafka counts as away; the attempt continues. */
const STALL_MS = 2_000;
/** Most batches in one produce request. Their bytes stay below the broker's bound of one message. */
const PRODUCE_BATCHES_MAX = 100;
/** How often a drain checks whether it is done. */
const DRAIN_POLL_MS = 20;
/** With more bytes waiting for each of its partitions, a lane counts as backlogged: requests then wait for the disk. */
const BACKLOG_BYTES = 4 << 20;

export type DeliveryOptions = {
  readonly inFlightMax: number;
  readonly send: SendMessages;
  /** Reads the container of a batch that is not in memory; undefined where the spool has lost it. */
  readonly read: (batch: LoggedBatch) => Promise<Buffer | undefined>;
  readonly availability: Pick<KafkaAvailability, 'failure' | 'failed' | 'succeeded'>;
  /** Removes the records of a batch that may no longer be sent; its head then says so. */
  readonly expireIfOverdue: (batch: LoggedBatch) => void;
  /** A partition is free again. */
  readonly onFree: () => void;
  /** Kafka acknowledged it, or it is lost: called once for each batch, in order within a partition. */
  readonly onResolved: (batch: LoggedBatch, outcome: 'acknowledged' | 'unreadable') => void;
  readonly metrics: DeliveryMetrics;
  readonly logger: Logger;
};

type Outgoing = { readonly head: BatchHead; readonly container: Buffer };

type Partition = {
  readonly number: number;
  /** Oldest first. The spool's capacity bounds them. */
  waiting: LoggedBatch[];
  waitingBytes: number;
  inFlight: boolean;
};

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #partitions = new Map<number, Partition>();
  #inFlight = 0;
  #rotation = 0;
  #stopped = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Produce requests in flight. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Batches that Kafka has not acknowledged. */
  get waiting(): number {
    let batches = 0;
    for (const { waiting } of this.#partitions.values()) batches += waiting.length;
    return batches;
  }

  /** Within a partition batches must come in the order of their sequences. */
  enqueue(batch: LoggedBatch): void {
    const partition = this.#partition(batch.head.id.partition);
    partition.waiting.push(batch);
    partition.waitingBytes += batch.bytes;
    this.#startIfFree(partition);
  }

  /** Sends what waits, as far as partitions are free and Kafka is available. */
  sendWaiting(): void {
    for (const partition of this.#partitions.values()) this.#startIfFree(partition);
  }

  /** A partition of the lane with nothing in flight and nothing waiting; round robin. */
  freePartition(lane: Lane, reserved: ReadonlySet<number>): number | undefined {
    const { partitions } = lane;
    for (let step = 0; step < partitions.length; step++) {
      const number = partitions[(this.#rotation + step) % partitions.length];
      if (number === undefined || reserved.has(number) || this.#queued(number) > 0) continue;
      this.#rotation = (this.#rotation + step + 1) % partitions.length;
      return number;
    }
    return undefined;
  }

  /** The partition of the lane with the fewest batches to send. */
  leastQueued(lane: Lane): number {
    let [best = 0] = lane.partitions;
    for (const number of lane.partitions) if (this.#queued(number) < this.#queued(best)) best = number;
    return best;
  }

  /** True where so much waits that new requests should not wait for Kafka. */
  backlogged(lane: Lane): boolean {
    return lane.partitions.every(
      (number) => (this.#partitions.get(number)?.waitingBytes ?? 0) > BACKLOG_BYTES,
    );
  }

  /** True where nothing of the lane is waiting or in flight. */
  idle(lane: Lane): boolean {
    return lane.partitions.every((number) => this.#queued(number) === 0);
  }

  /** Batches that Kafka has not acknowledged and that match; in the order of each partition. */
  waitingWhere(matches: (head: BatchHead) => boolean): LoggedBatch[] {
    return Array.from(this.#partitions.values()).flatMap(({ waiting }) =>
      waiting.filter(({ head }) => matches(head)),
    );
  }

  /** Waits until Kafka has acknowledged everything, at most until `lastMs` of the monotonic clock; true where it has. */
  async drained(lastMs: number, signal?: AbortSignal): Promise<boolean> {
    for (;;) {
      if (this.waiting === 0) return true;
      if (performance.now() >= lastMs || signal?.aborted === true) return false;
      this.sendWaiting();
      await sleep(DRAIN_POLL_MS);
    }
  }

  /** Nothing more is sent. What waits stays in the spool. */
  stop(): void {
    this.#stopped = true;
  }

  #partition(number: number): Partition {
    let partition = this.#partitions.get(number);
    if (partition === undefined) {
      partition = { number, waiting: [], waitingBytes: 0, inFlight: false };
      this.#partitions.set(number, partition);
    }
    return partition;
  }

  #queued(number: number): number {
    return this.#partitions.get(number)?.waiting.length ?? 0;
  }

  #startIfFree(partition: Partition): void {
    const { availability, inFlightMax } = this.#options;
    if (partition.inFlight || partition.waiting.length === 0 || this.#stopped) return;
    if (this.#inFlight >= inFlightMax || availability.failure !== undefined) return;
    partition.inFlight = true;
    this.#inFlight += 1;
    void this.#sendPartition(partition).finally(() => {
      partition.inFlight = false;
      this.#inFlight -= 1;
      this.sendWaiting();
      this.#options.onFree();
    });
  }

  /** Sends one produce request of a partition; retries it until it is acknowledged or Kafka is away. */
  async #sendPartition(partition: Partition): Promise<void> {
    const { availability } = this.#options;
    for (let pauseMs = RETRY_PAUSE_MS; ;) {
      const group = await this.#load(partition);
      if (group.length === 0 || this.#stopped) return;
      if (await this.#trySend(partition.number, group)) {
        this.#resolve(partition, group.length, 'acknowledged');
        // Other partitions may wait for a slot: this one continues after them.
        return;
      }
      if (availability.failure !== undefined) return;
      await sleep(Math.min(pauseMs, RETRY_PAUSE_MS_MAX) * (0.5 + Math.random()), undefined, { ref: false });
      pauseMs *= 2;
      if (this.#stopped || availability.failure !== undefined) return;
    }
  }

  /** The batches of the next produce request with their containers, read from the spool where not in memory. */
  async #load(partition: Partition): Promise<Outgoing[]> {
    const group: Outgoing[] = [];
    let bytes = 0;
    while (group.length < PRODUCE_BATCHES_MAX) {
      const batch = partition.waiting[group.length];
      if (batch === undefined) break;
      this.#options.expireIfOverdue(batch);
      // Head and container must match: the batch may be moved while it is read.
      const { head } = batch;
      const container =
        head.expiredRecords === undefined
          ? (batch.container ?? (await this.#options.read(batch)))
          : expiredContainer(head.topic);
      if (container === undefined) {
        if (group.length > 0) break;
        this.#resolve(partition, 1, 'unreadable');
        continue;
      }
      bytes += container.length;
      if (group.length > 0 && bytes > MESSAGE_BYTES_MAX) break;
      group.push({ head, container });
    }
    return group;
  }

  #resolve(partition: Partition, batches: number, outcome: 'acknowledged' | 'unreadable'): void {
    const resolved = partition.waiting.slice(0, batches);
    partition.waiting = partition.waiting.slice(batches);
    for (const batch of resolved) {
      partition.waitingBytes -= batch.bytes;
      this.#options.onResolved(batch, outcome);
    }
  }

  async #trySend(partition: number, group: readonly Outgoing[]): Promise<boolean> {
    const { send, availability, metrics, logger } = this.#options;
    const messages = group.map(({ head, container }) => ({
      value: container,
      headers: headersOf(head, container),
    }));
    const endTimer = metrics.startTimer();
    const stall = setTimeout(() => {
      availability.failed(`no answer to a message for ${STALL_MS / 1000} s`);
    }, STALL_MS);
    try {
      await send(partition, messages);
      endTimer();
      availability.succeeded();
      return true;
    } catch (error) {
      metrics.failed();
      logger.debug({ err: error, partition, batch: group[0]?.head.id }, 'produce request not acknowledged');
      if (!isPartitionFault(error)) availability.failed(errorMessage(error));
      return false;
    } finally {
      clearTimeout(stall);
    }
  }
}

function headersOf(head: BatchHead, container: Buffer): Record<string, string> {
  const headers = writeBatchHeaders(
    head.id,
    head.records,
    container,
    head.records > 0 ? head.times : undefined,
  );
  if (head.expiredRecords === undefined) return headers;
  return { ...headers, [EXPIRED_HEADER]: String(head.expiredRecords) };
}
