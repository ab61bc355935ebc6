/*
 * The peer with a usual design, a separate process: kafkajs → decompress and decode with avsc → JSONEachRow through the
 * official client, in large inserts, two in flight at a time. At least once, no ledger.
 */
import { zstdDecompressSync } from 'node:zlib';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { SYNC_BYTES, containerHeader, decodeLong } from '@imscope/schemas/container.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import { answerParent } from '../collector/child-process.js';
import { jsonRow } from './backlog.js';
import { openKafka } from '../../stack/kafka-client.js';

export type DecodeQuestion = {
  readonly broker: string;
  readonly topic: string;
  /** The measurement ends when this many rows are inserted; the topic may hold more. */
  readonly rows: number;
  readonly store: {
    readonly url: string;
    readonly username: string;
    readonly password: string;
    readonly database: string;
  };
};

export type DecodeResult = { readonly rows: number; readonly seconds: number };

const INSERT_ROWS = 50_000;
const INSERTS_AT_ONCE = 2;
let measurement = 0;

answerParent({ answer: measureDecoding });

async function measureDecoding({ broker, topic, rows, store }: DecodeQuestion): Promise<DecodeResult> {
  measurement += 1;
  const client = createClient(store);
  const consumer = openKafka(broker).consumer({
    groupId: `decode-${process.pid}-${measurement}`,
    maxBytesPerPartition: 8_000_000,
    maxBytes: 32_000_000,
    maxWaitTimeInMs: 250,
  });
  const inserter = new RowInserter(client, rows);
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const joined = new Promise<number>((resolve) => {
      consumer.on(consumer.events.GROUP_JOIN, () => resolve(performance.now()));
    });
    await consumer.run({
      eachBatch: async ({ batch, heartbeat }) => {
        for (const { value } of batch.messages) {
          if (value === null || inserter.full) continue;
          await inserter.add(decode(value));
        }
        await heartbeat();
      },
    });
    const startMs = await joined;
    await inserter.done;
    return { rows: inserter.inserted, seconds: (performance.now() - startMs) / 1_000 };
  } finally {
    await consumer.disconnect();
    await client.close();
  }
}

/** The records of one of our containers of one block. */
function decode(value: Buffer): RequestLog[] {
  const count = decodeLong(value, containerHeader(REQUEST_LOG_SCHEMA).length);
  const size = count === undefined ? undefined : decodeLong(value, count.next);
  if (count === undefined || size === undefined) return [];
  const plain = zstdDecompressSync(value.subarray(size.next, value.length - SYNC_BYTES));
  const records: RequestLog[] = [];
  for (let position = 0; position < plain.length;) {
    const { value: record, offset } = REQUEST_LOG_SCHEMA.type.decode(plain, position);
    records.push(record);
    position = offset;
  }
  return records;
}

class RowInserter {
  readonly #client: ClickHouseClient;
  readonly #rowsMax: number;
  #rows: object[] = [];
  #added = 0;
  readonly #inFlight = new Set<Promise<void>>();
  #finish: (() => void) | undefined;
  #fail: ((error: unknown) => void) | undefined;
  /** Resolves when as many rows as wanted are inserted. */
  readonly done: Promise<void>;
  inserted = 0;

  constructor(client: ClickHouseClient, rowsMax: number) {
    this.#client = client;
    this.#rowsMax = rowsMax;
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
  }

  get full(): boolean {
    return this.#added >= this.#rowsMax;
  }

  async add(records: readonly RequestLog[]): Promise<void> {
    for (const record of records) this.#rows.push(jsonRow(record));
    this.#added += records.length;
    if (this.#rows.length < INSERT_ROWS && !this.full) return;
    while (this.#inFlight.size >= INSERTS_AT_ONCE) await Promise.race(this.#inFlight);
    const inserting = this.#insert(this.#rows).finally(() => this.#inFlight.delete(inserting));
    this.#inFlight.add(inserting);
    this.#rows = [];
  }

  async #insert(values: object[]): Promise<void> {
    try {
      await this.#client.insert({ table: 'request_log', values, format: 'JSONEachRow' });
      this.inserted += values.length;
      if (this.inserted >= this.#rowsMax) this.#finish?.();
    } catch (error) {
      this.#fail?.(error);
    }
  }
}
