/*
 * `dlq redrive`: sends dead letters back to the partition they came from, under their old batch id, so that redriven
 * twice they count once. Four things remember a batch: this run; the ledger, for its term; the aggregator, for the
 * longest term of the topic, whatever of the log it has not stored yet; and for keyed batches, which it knows for one hour only, that part of the
 * log is read here. A run that was cut off is run again.
 */
import type { Kafka, Producer } from 'kafkajs';
import { isKeyedBoot, readBatchId } from '@imscope/schemas/batch-headers.js';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { completeHeaders } from '../consume/consume.js';
import { readPosition } from '../store/ledger.js';
import type { DeadLetter } from './dead-letter-entry.js';
import { type ReadyLetter, type RedriveRules, type Refusal, validateRedrive } from './validate-redrive.js';
import { readRanges, readSpans } from './read-ranges.js';
import { batchKey, readStoredBatches } from './stored-batches.js';

export type RedriveOutcome =
  | {
      /** `would_redrive`: nothing was sent, as requested. */
      readonly kind: 'redriven' | 'would_redrive';
      readonly mended: boolean;
      readonly records: number;
      readonly topic: string;
      readonly partition: number;
      /** Undefined where nothing was sent. */
      readonly offset: number | undefined;
    }
  /** Its batch is stored: nothing is left to do. */
  | { readonly kind: 'stored' }
  /** A copy is in the log and will be stored. */
  | { readonly kind: 'waiting' }
  | Refusal;

export type RedriveContext = {
  readonly kafka: Kafka;
  readonly producer: Producer;
  readonly store: ClickHouseClient;
  readonly cluster: string;
  readonly topicPrefix: string;
  readonly nowMs: () => number;
};

export type RedriveOptions = RedriveRules & { readonly dryRun: boolean };

/** Letters checked against the ledger at once: their batches are in a request's URL. Each may hold 1 MiB. */
const LETTERS_AT_ONCE = 50;
/** What is read of a partition's log, beyond the ledger, in search of keyed batches: some 200 MB. */
const TAIL_MESSAGES_MAX = 20_000;

export class Redrive {
  readonly #context: RedriveContext;
  readonly #options: RedriveOptions;
  readonly #onOutcome: (letter: DeadLetter, outcome: RedriveOutcome) => void;
  /** Keys of batches sent by this run. */
  readonly #sent = new Set<string>();
  /** By partition: keys of keyed batches in the log after the ledger, or why it cannot be read to its end. */
  readonly #tails = new Map<string, ReadonlySet<string> | 'too_long' | 'held_back'>();
  #pending: DeadLetter[] = [];

  constructor(
    context: RedriveContext,
    options: RedriveOptions,
    onOutcome: (letter: DeadLetter, outcome: RedriveOutcome) => void,
  ) {
    this.#context = context;
    this.#options = options;
    this.#onOutcome = onOutcome;
  }

  /** Adds a letter to redrive. Its outcome may be reported later, at the latest by `finish`. */
  async add(letter: DeadLetter): Promise<void> {
    this.#pending.push(letter);
    if (this.#pending.length >= LETTERS_AT_ONCE) await this.finish();
  }

  async finish(): Promise<void> {
    const letters = this.#pending;
    this.#pending = [];
    const validated = letters.map((letter) => ({
      letter,
      result: validateRedrive(letter, this.#options, this.#context.nowMs()),
    }));
    const ready = validated.flatMap(({ result }) => (result.kind === 'ready' ? [result] : []));
    await this.#readTails(ready);
    const { store, cluster } = this.#context;
    const stored = await readStoredBatches(
      store,
      cluster,
      ready.map(({ batch }) => batch),
    );
    for (const { letter, result } of validated) {
      this.#onOutcome(letter, result.kind === 'ready' ? await this.#redrive(result, stored) : result);
    }
  }

  async #redrive(ready: ReadyLetter, stored: ReadonlySet<string>): Promise<RedriveOutcome> {
    const key = batchKey(ready.batch);
    if (stored.has(key)) return { kind: 'stored' };
    if (this.#sent.has(key)) return { kind: 'waiting' };
    const tail = this.#tails.get(tailKey(ready.target));
    if (isKeyedBoot(ready.batch.boot) && tail !== undefined) {
      if (tail === 'too_long' || tail === 'held_back') {
        const { topic, partition } = ready.target;
        const text =
          tail === 'too_long'
            ? `more than ${TAIL_MESSAGES_MAX} messages of ${topic} ${partition} are not stored yet, and it may be one of them: run it again when the aggregators have caught up`
            : `an open transaction holds back messages of ${topic} ${partition}, and it may be one of them: run it again when that has ended`;
        return { kind: 'refused', reason: 'behind', text };
      }
      if (tail.has(key)) return { kind: 'waiting' };
    }
    this.#sent.add(key);
    const { mended, records, target } = ready;
    const offset = this.#options.dryRun ? undefined : await this.#send(ready);
    return { kind: offset === undefined ? 'would_redrive' : 'redriven', mended, records, ...target, offset };
  }

  /** One explicit partition a send, and the answer checked: see the collector's producer. */
  async #send({ target, value, headers }: ReadyLetter): Promise<number> {
    const { topic, partition } = target;
    const [sent] = await this.#context.producer.send({
      topic,
      acks: -1,
      messages: [{ partition, value, headers: { ...headers } }],
    });
    const offset = sent?.baseOffset;
    if (
      sent?.partition !== partition ||
      sent.errorCode !== 0 ||
      offset === undefined ||
      !/^\d+$/.test(offset)
    ) {
      throw new Error(`Kafka's answer for ${topic}/${partition} names no offset: ${JSON.stringify(sent)}`);
    }
    return Number(offset);
  }

  /** Before the ledger is read for batches: a batch that is recorded meanwhile is in one of the two. */
  async #readTails(ready: readonly ReadyLetter[]): Promise<void> {
    for (const { target, batch } of ready) {
      const key = tailKey(target);
      if (!isKeyedBoot(batch.boot) || this.#tails.has(key)) continue;
      this.#tails.set(key, await this.#readTail(target));
    }
  }

  async #readTail({
    topic,
    partition,
  }: ReadyLetter['target']): Promise<ReadonlySet<string> | 'too_long' | 'held_back'> {
    const { kafka, store, cluster, topicPrefix } = this.#context;
    const position = await readPosition(store, { cluster, topic, partition });
    const span = (await readSpans(kafka, topic)).find((one) => one.partition === partition);
    if (span === undefined) throw new Error(`the broker gave no offsets of ${topic}:${partition}`);
    // A log that ends before the ledger's place is another one, of which nothing is stored yet.
    const next = position === undefined || position.lastOffset >= span.to ? 0 : position.lastOffset + 1;
    const from = Math.max(span.from, next);
    if (span.to - from > TAIL_MESSAGES_MAX) return 'too_long';
    const keys = new Set<string>();
    const unread = await readRanges(
      kafka,
      { topic, groupPrefix: topicPrefix },
      [{ partition, from, to: Infinity }],
      (_partition, message) => {
        const id = readBatchId(completeHeaders(message.headers));
        if (id !== undefined && isKeyedBoot(id.boot)) keys.add(batchKey({ ...id, topic, partition }));
      },
    );
    return unread.length === 0 ? keys : 'held_back';
  }
}

function tailKey({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`;
}
