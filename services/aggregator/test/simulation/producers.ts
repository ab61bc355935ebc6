/*
 * Collectors that append batches under their ids until each is acknowledged: acknowledgements get lost, so batches
 * come twice, later and out of order. And somebody who appends what no aggregator can read.
 */
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { writeBatchHeaders } from '@imscope/schemas/batch-headers.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import { wrapBlock } from '@imscope/schemas/container.js';
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import type { LogMessage } from '../../src/blocks/block-cutter.js';
import { batchMessage, LOG_TIME } from '../log-of-messages.js';
import type { ModelBroker } from './model-broker.js';
import type { Random } from './random.js';
import { SECOND_SCHEMA } from './simulated-process.js';
import type { VirtualTime } from './virtual-time.js';

type Sendable = Pick<LogMessage, 'value' | 'headers'>;

export type Habits = {
  /** Share of appends whose acknowledgement is lost. */
  losesAcknowledgement: number;
  /** Longest until a batch is sent again. */
  resendMs: number;
  poison: number;
  secondSchema: number;
};

const metrics = new BlockBuilder<InterfaceMetric>(SECOND_SCHEMA);
const HOUR_MS = 3_600_000;

export class Producers {
  readonly #broker: ModelBroker;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #boots: string[] = ['boot0000', 'boot0001'];
  readonly #sequences = new Map<string, number>();
  readonly #sent: { readonly partition: number; readonly message: Sendable }[] = [];
  readonly habits: Habits;
  /** Batches without an acknowledgement yet. */
  pending = 0;

  constructor(broker: ModelBroker, time: VirtualTime, random: Random, habits: Habits) {
    this.#broker = broker;
    this.#time = time;
    this.#random = random;
    this.habits = habits;
  }

  /** A collector restarts: a new incarnation, whose sequences begin at 0. */
  restart(): void {
    this.#boots[this.#random.integer(0, 1)] = `boot${String(this.#sequences.size + 2).padStart(4, '0')}`;
  }

  send(): void {
    const random = this.#random;
    const partition = random.integer(0, this.#broker.partitions - 1);
    if (random.chance(this.habits.poison)) {
      this.#keepSending(partition, this.#poison(partition));
      return;
    }
    const id = this.#nextId(partition);
    const records = random.integer(1, 6);
    const message = random.chance(this.habits.secondSchema)
      ? metricMessage(id, partition, records)
      : batchMessage({ ...id, records }, partition, this.#eventTimes());
    this.#keepSending(partition, message);
  }

  /** Batches whose acknowledgement did not arrive before the topic was created again. */
  sendOldAgain(): void {
    for (let old = this.#random.integer(0, 3); old > 0; old--) {
      const chosen = this.#sent[this.#random.integer(0, this.#sent.length - 1)];
      if (chosen !== undefined) this.#broker.append(chosen.partition, chosen.message);
    }
  }

  /** What was sent so long ago that no collector sends it again. */
  forgetOld(): void {
    this.#sent.length = 0;
  }

  #nextId(partition: number): { boot: string; sequence: number } {
    const boot = this.#random.pick(['boot0000', ...this.#boots]);
    const key = `${boot}:${partition}`;
    const sequence = this.#sequences.get(key) ?? 0;
    this.#sequences.set(key, sequence + 1);
    return { boot, sequence };
  }

  /** Mostly one table partition, at times two. */
  #eventTimes(): { least: number; greatest: number } {
    const time = LOG_TIME - this.#random.pick([0, 0, 0, 1, 5]) * HOUR_MS;
    return { least: time, greatest: time };
  }

  #keepSending(partition: number, message: Sendable): void {
    const random = this.#random;
    const life = this.#broker.log(partition);
    const again = (): void =>
      this.#time.after(random.integer(50, random.chance(0.5) ? 500 : this.habits.resendMs), attempt);
    const attempt = (): void => {
      // A topic is created again by its owner's decision: batches on their way are given up.
      if (this.#broker.log(partition) !== life) {
        this.pending -= 1;
        return;
      }
      if (random.chance(this.habits.losesAcknowledgement / 2)) return again();
      this.#broker.append(partition, message);
      if (random.chance(this.habits.losesAcknowledgement)) return again();
      this.pending -= 1;
    };
    this.pending += 1;
    this.#sent.push({ partition, message });
    attempt();
  }

  /** Nothing at all, torn bytes, a count that is not so, a record that cannot be decoded. */
  #poison(partition: number): Sendable {
    const id = this.#nextId(partition);
    const good = batchMessage({ ...id, records: 2 }, partition);
    const kind = this.#random.integer(0, 3);
    if (kind === 0) return { value: null, headers: undefined };
    if (kind === 1) return { ...good, value: good.value.subarray(0, good.value.length - 5) };
    if (kind === 2) return { ...good, headers: { ...good.headers, 'imscope-count': '7' } };
    const value = wrapBlock(REQUEST_LOG_SCHEMA, 3, Buffer.from('these are no records'));
    return { value, headers: writeBatchHeaders({ ...id, partition }, 3, value) };
  }
}

function metricMessage(
  { boot, sequence }: { boot: string; sequence: number },
  partition: number,
  records: number,
): { value: Buffer; headers: Record<string, string> } {
  for (let index = 0; index < records; index++) {
    metrics.append({
      window_start: LOG_TIME,
      window_s: 10,
      sdk_app_id: 1,
      interface: `${boot}-${partition}-${sequence}-${index}`,
      region: '',
      success: 1,
      caller_error: 0,
      service_error: 0,
      unknown: 0,
      codes: {},
      latency_sum_us: 1,
      latency_max_us: 1,
      latency_histogram: {},
      logged_weight: 1,
    });
  }
  const value = metrics.finish();
  return { value, headers: writeBatchHeaders({ boot, partition, sequence }, records, value) };
}
