/*
 * The log of one incarnation and the delivery of its batches: ids without gaps, a queue for each topic,
 * acknowledgements, expiry. A batch holds its segment until it is resolved. At the end the log is deleted, or kept for
 * the next start where batches are left.
 */
import { rm } from 'node:fs/promises';
import type { Logger } from '@imscope/runtime/logger.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { TOPIC_NAMES } from '@imscope/schemas/retention.js';
import { Acknowledgements } from '../spool/acknowledgements.js';
import { Delivery, type DeliveryOptions } from './delivery.js';
import { type EdgeTermsByTopic, expiredBatch, isOverdue } from './expired-batch.js';
import type { KafkaAvailability } from '../kafka/kafka-availability.js';
import { EDGE_TOPICS, type EdgeTopic, type KafkaProducer } from '../kafka/kafka-producer.js';
import type { LoggedBatch } from './logged-batch.js';
import type { IncarnationMetrics } from './incarnation-metrics.js';
import { Sequences } from './sequences.js';
import { type BatchBody, type BatchHead, decodeBatch, encodeBatch } from '../spool/batch-entry.js';
import { type EncodedEntry, encodeJson } from '../spool/entry.js';
import type { Location, Segment } from '../spool/segment.js';
import type { Acknowledged } from '../spool/segment-head.js';
import type { SpoolSpace } from '../spool/spool-space.js';
import { type Refusal, WriteAheadLog } from '../spool/write-ahead-log.js';

/** Produce requests of metrics in flight at once, and as many of accounts. */
const EDGE_IN_FLIGHT_MAX = 4;

export type IncarnationLogOptions = {
  /** The id of the incarnation. */
  readonly incarnation: string;
  readonly directory: string;
  readonly space: SpoolSpace;
  /** Segments that an earlier process left. */
  readonly segments?: readonly Segment[];
  /** The first entries of a new segment. */
  readonly segmentHead: () => readonly EncodedEntry[];
  /** The next sequence of a partition. */
  readonly nextSequence: (topic: EdgeTopic, partition: number) => number;
  /** Produce requests of request logs in flight at once. */
  readonly inFlightMax: number;
  readonly terms: EdgeTermsByTopic;
  readonly producer: Pick<KafkaProducer, 'send'>;
  readonly availability: Pick<KafkaAvailability, 'failure' | 'failed' | 'succeeded'>;
  /** A partition of the request logs may be free again. */
  readonly onFree: () => void;
  readonly metrics: IncarnationMetrics;
  readonly logger: Logger;
};

export type NewBatch = { readonly head: BatchHead; readonly body: BatchBody };

export class IncarnationLog {
  readonly #options: IncarnationLogOptions;
  readonly #log: WriteAheadLog;
  readonly sequences: Sequences;
  readonly #deliveries: Readonly<Record<EdgeTopic, Delivery>>;
  readonly #acknowledgements = new Acknowledgements();

  constructor(options: IncarnationLogOptions) {
    this.#options = options;
    this.#log = new WriteAheadLog(options);
    this.sequences = new Sequences(options.incarnation, options.nextSequence);
    this.#deliveries = {
      [TOPIC_NAMES.requestLog]: this.#createDelivery(TOPICS.requestLog.name),
      [TOPIC_NAMES.interfaceMetric]: this.#createDelivery(TOPICS.interfaceMetric.name),
      [TOPIC_NAMES.edgeAccount]: this.#createDelivery(TOPICS.edgeAccount.name),
    };
  }

  /** Why nothing can be logged at the moment; undefined while it can. */
  get failure(): string | undefined {
    return this.#log.failure;
  }

  delivery(topic: EdgeTopic): Delivery {
    return this.#deliveries[topic];
  }

  acknowledged(): Acknowledged[] {
    return this.#acknowledgements.list();
  }

  /**
   * Logs the batch that `make` returns when its round begins. With `synced` it counts as logged once it is synced.
   * Exactly one of the callbacks is called.
   */
  append(options: {
    readonly make: () => NewBatch;
    readonly synced: boolean;
    readonly onLogged: (head: BatchHead, location: Location) => void;
    readonly onRefused: (refusal: Refusal) => void;
  }): void {
    let head: BatchHead | undefined;
    this.#log.append({
      synced: options.synced,
      make: () => {
        const made = options.make();
        ({ head } = made);
        return encodeBatch(made.head, made.body);
      },
      onLogged: (location) => {
        if (head !== undefined) options.onLogged(head, location);
      },
      onRefused: (refusal) => {
        // Only a batch that certainly is not in the log returns its sequence.
        if (head !== undefined && refusal === 'not_taken') this.sequences.return(head.topic, head.id);
        options.onRefused(refusal);
      },
    });
  }

  /**
   * Logs what `make` removes from the accounting. It is called when everything before it is logged and counted. The
   * batches are sent like any other. Retried until it is in the log; resolves then.
   */
  async cut(options: {
    readonly make: () => readonly NewBatch[];
    readonly after: readonly EncodedEntry[];
    readonly synced: boolean;
    readonly onLogged: (head: BatchHead) => void;
  }): Promise<void> {
    let heads: readonly BatchHead[] = [];
    await new Promise<void>((resolve) => {
      this.#log.cut({
        synced: options.synced,
        make: () => {
          const made = options.make();
          heads = made.map(({ head }) => head);
          return [...made.map(({ head, body }) => encodeBatch(head, body)), ...options.after];
        },
        onLogged: (locations) => {
          heads.forEach((head, index) => {
            const location = locations[index];
            if (location === undefined) return;
            options.onLogged(head);
            this.enqueue(head, location);
          });
          resolve();
        },
      });
    });
  }

  /** Hands a logged batch to delivery. Without a container in memory it is read from the spool before it is sent. */
  enqueue(
    head: BatchHead,
    location: Location,
    container?: Buffer,
    onAcknowledged: () => void = () => undefined,
  ): LoggedBatch {
    const { bytes } = location;
    const logged: LoggedBatch = { head, location, bytes, container, state: 'waiting', onAcknowledged };
    this.#log.hold(location.segment);
    this.#options.space.addBatches(1);
    this.#deliveries[head.topic].enqueue(logged);
    return logged;
  }

  /** Sends what waits, once Kafka is back. */
  resume(): void {
    for (const topic of EDGE_TOPICS) this.#deliveries[topic].sendWaiting();
  }

  /** Syncs everything logged so far. */
  async sync(): Promise<void> {
    await this.#log.sync();
  }

  /** Resolves once nothing is left to be logged. */
  async idle(): Promise<void> {
    await this.#log.idle();
  }

  hold(segment: number): void {
    this.#log.hold(segment);
  }

  release(segment: number): void {
    this.#log.release(segment);
  }

  /** Writes the acknowledgements to the log, so that a restart does not send those batches again. */
  writeMark(): void {
    if (!this.#acknowledgements.changed || this.failure !== undefined) return;
    this.#acknowledgements.changed = false;
    this.#log.append({
      make: () => encodeJson('mark', this.#acknowledgements.list()),
      synced: false,
      onLogged: () => undefined,
      onRefused: () => {
        this.#acknowledgements.changed = true;
      },
    });
  }

  /** Empties waiting batches whose data may not be kept any longer, see `expired-batch.ts`. */
  expire(nowMs: number): void {
    for (const topic of EDGE_TOPICS) {
      const overdue = this.#deliveries[topic].waitingWhere((head) =>
        isOverdue(head, this.#options.terms, nowMs),
      );
      for (const logged of overdue) this.#expireOne(logged);
    }
  }

  /** Sends what an earlier process left unresolved, in its order. */
  adopt(
    unresolved: readonly { readonly head: BatchHead; readonly location: Location }[],
    acknowledged: readonly Acknowledged[],
  ): void {
    for (const each of acknowledged) this.#acknowledgements.note(each.topic, each);
    for (const { head, location } of unresolved) this.enqueue(head, location);
  }

  /**
   * Waits until Kafka has acknowledged everything, at most until `lastMs` of the monotonic clock, and closes the log. It
   * is deleted where nothing is left.
   * @returns how many batches are left
   */
  async finish(lastMs: number, signal?: AbortSignal): Promise<number> {
    let left = 0;
    for (const topic of EDGE_TOPICS) {
      const delivery = this.#deliveries[topic];
      if (!(await delivery.drained(lastMs, signal))) left += delivery.waiting;
    }
    this.abandon();
    if (left > 0) {
      this.writeMark();
      await this.#log.idle();
      await this.#log.sync().catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'the spool cannot be synced');
      });
    }
    await this.#log.close({ remove: left === 0 });
    if (left === 0) await rm(this.#options.directory, { recursive: true, force: true });
    return left;
  }

  /** Nothing more is sent; the log stays as it is. */
  abandon(): void {
    for (const topic of EDGE_TOPICS) this.#deliveries[topic].stop();
  }

  #createDelivery(topic: EdgeTopic): Delivery {
    const { producer, availability, metrics, logger, inFlightMax, onFree } = this.#options;
    const logs = topic === TOPICS.requestLog.name;
    return new Delivery({
      inFlightMax: logs ? inFlightMax : EDGE_IN_FLIGHT_MAX,
      send: producer.send(topic),
      read: (batch) => this.#read(batch),
      // Only the delivery of request logs decides whether Kafka is available; the others follow it.
      availability: logs ? availability : readOnly(availability),
      onFree: logs ? onFree : () => undefined,
      expireIfOverdue: (batch) => this.#expireInMemory(batch),
      onResolved: (batch, outcome) => this.#resolved(batch, outcome),
      metrics: metrics.delivery(topic),
      logger,
    });
  }

  async #read(batch: LoggedBatch): Promise<Buffer | undefined> {
    try {
      const payload = await this.#log.read(batch.location);
      return payload === undefined ? undefined : decodeBatch(payload).body.container;
    } catch (error) {
      this.#options.logger.error(
        { err: error, batch: batch.head.id },
        'a batch cannot be read from the spool',
      );
      return undefined;
    }
  }

  #resolved(batch: LoggedBatch, outcome: 'acknowledged' | 'unreadable'): void {
    const { head } = batch;
    const { metrics, logger, space, incarnation } = this.#options;
    if (outcome === 'unreadable') {
      metrics.spoolUnreadable.inc({ topic: head.topic });
      const { topic, id, records } = head;
      logger.error({ topic, batch: id, records }, 'a batch in the spool is lost: it is damaged');
    } else {
      metrics.acknowledged(head.topic, head.records);
      if (head.id.boot === incarnation) this.#acknowledgements.note(head.topic, head.id);
    }
    space.addBatches(-1);
    batch.state = 'resolved';
    batch.onAcknowledged();
    this.#log.release(batch.location.segment);
  }

  /**
   * Called for a batch that is about to be sent, which may be overdue after a start or since the last `expire`: it is
   * sent without its records. The log keeps it as it is; a later start finds it overdue again.
   */
  #expireInMemory(logged: LoggedBatch): void {
    const { head } = logged;
    if (head.expiredRecords !== undefined || !isOverdue(head, this.#options.terms, Date.now())) return;
    logged.head = expiredBatch(head).head;
    logged.container = undefined;
    this.#options.metrics.spoolExpired.inc({ topic: head.topic }, head.records);
  }

  #expireOne(logged: LoggedBatch): void {
    const { head, location } = logged;
    if (head.expiredRecords !== undefined || logged.state !== 'waiting') return;
    const expired = expiredBatch(head);
    logged.state = 'moving';
    this.#log.append({
      make: () => encodeBatch(expired.head, expired.body),
      synced: false,
      onLogged: (moved) => {
        // Kafka may have acknowledged it meanwhile: then there is nothing to move.
        if (logged.state === 'resolved') return;
        const isCounted = logged.head.expiredRecords !== undefined;
        Object.assign(logged, {
          head: expired.head,
          location: moved,
          container: undefined,
          state: 'waiting',
        });
        this.#log.hold(moved.segment);
        this.#log.release(location.segment);
        if (!isCounted) this.#options.metrics.spoolExpired.inc({ topic: head.topic }, head.records);
      },
      onRefused: () => {
        if (logged.state === 'moving') logged.state = 'waiting';
      },
    });
  }
}

function readOnly(availability: Pick<KafkaAvailability, 'failure'>): DeliveryOptions['availability'] {
  return {
    get failure() {
      return availability.failure;
    },
    failed: () => undefined,
    succeeded: () => undefined,
  };
}
