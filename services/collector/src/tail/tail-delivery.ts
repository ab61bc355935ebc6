/*
 * Logs batches of tailed lines one after another, so that no position is after lines that are not in the log. They
 * become durable, by Kafka or by the disk, in any order; this tracks up to which position all are.
 */
import type { Batch } from '../batches/batch.js';
import type { Incarnation } from '../incarnations/incarnation.js';
import type { KafkaAvailability } from '../kafka/kafka-availability.js';
import type { Intake } from '../intake/intake.js';
import type { TailPosition } from '../spool/tail-position.js';

export type TailDeliveryOptions = {
  readonly incarnation: Incarnation;
  readonly availability: Pick<KafkaAvailability, 'failure'>;
};

export type Durable = { readonly position: TailPosition; readonly segment: number };

/** `not_taken`: not in the log. `in_doubt`: only reading the log at the next start shows which. */
export type Logged = 'logged' | 'not_taken' | 'in_doubt';

type Underway = Durable & { durable: boolean };

export class TailDelivery {
  readonly #options: TailDeliveryOptions;
  /** In the log, oldest first. */
  #underway: Underway[] = [];
  #wake: () => void = () => undefined;

  constructor(options: TailDeliveryOptions) {
    this.#options = options;
  }

  /** Number of batches that are not durable yet. */
  get waiting(): number {
    return this.#underway.reduce((sum, { durable }) => (durable ? sum : sum + 1), 0);
  }

  /** Called when a batch became durable. */
  onDurable(wake: () => void): void {
    this.#wake = wake;
  }

  /** Logs one batch with its position; the next may be logged once this one is. */
  async log(
    batch: Batch,
    position: TailPosition,
    rejected: Intake['rejectedByApplication'],
  ): Promise<Logged> {
    const { incarnation, availability } = this.#options;
    batch.tail = position;
    return new Promise((resolve) => {
      incarnation.append(batch, {
        synced: availability.failure !== undefined || incarnation.requestLogs.backlogged(batch.lane),
        target: () => {
          // Called when the batch is made, so that refusals are logged with their lines.
          incarnation.accounting.rejected(rejected);
          return { partition: partitionOf(incarnation, batch) };
        },
        onDone: (segment) => {
          if (segment === undefined) resolve(batch.outcome === 'in_doubt' ? 'in_doubt' : 'not_taken');
          else {
            this.#follow(batch, position, segment);
            resolve('logged');
          }
        },
      });
    });
  }

  /** Removes the positions before which everything is durable. Release their segments once they are saved. */
  drainDurable(): Durable[] {
    const first = this.#underway.findIndex(({ durable }) => !durable);
    return this.#underway.splice(0, first === -1 ? this.#underway.length : first);
  }

  /** The same for all positions, once the caller has synced the log. */
  drainAll(): Durable[] {
    return this.#underway.splice(0);
  }

  #follow(batch: Batch, position: TailPosition, segment: number): void {
    const underway: Underway = { position, segment, durable: false };
    // Until the checkpoint has the position, it is in this segment only.
    this.#options.incarnation.log.hold(segment);
    this.#underway.push(underway);
    void this.#awaitDurable(batch, underway);
  }

  async #awaitDurable(batch: Batch, underway: Underway): Promise<void> {
    underway.durable = (await batch.settled) === 'durable';
    this.#wake();
  }
}

const NONE: ReadonlySet<number> = new Set();

/** A partition with nothing to send, round robin; else the one with the fewest batches. */
function partitionOf({ requestLogs }: Incarnation, { lane }: Batch): number {
  return requestLogs.freePartition(lane, NONE) ?? requestLogs.leastQueued(lane);
}
