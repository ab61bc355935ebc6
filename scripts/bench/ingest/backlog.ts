/*
 * The messages of a bench: simulated traffic as the collector writes it (its validation, metric windows and accounts),
 * in containers of one size. A pure function of its arguments.
 */
import { randomBytes } from 'node:crypto';
import {
  EDGE_ACCOUNT_SCHEMA,
  INTERFACE_METRIC_SCHEMA,
  REQUEST_LOG_SCHEMA,
} from '@imscope/schemas/avro-schema.js';
import type { EventTimes } from '@imscope/schemas/batch-headers.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import { NO_COLLECTOR_FACTS } from '@imscope/schemas/edge-account.js';
import { isMappedIpv4 } from '@imscope/schemas/ip-address.js';
import { singleLane } from '@imscope/schemas/lanes.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import { countedRequest } from '../../../services/collector/src/accounting/batch-counts.js';
import { EdgeAccounts } from '../../../services/collector/src/accounting/edge-accounts.js';
import { MetricWindow } from '../../../services/collector/src/accounting/metric-window.js';
import { isRejection } from '../../../services/collector/src/intake/reject-reasons.js';
import { packRows } from '../../../services/collector/src/accounting/row-containers.js';
import {
  type ValidationContext,
  validateRecord,
} from '../../../services/collector/src/intake/validate-record.js';
import type { Traffic } from '../../simulate-gateway/generate.js';

/** A Kafka message without its headers, which name the batch and so differ each time it is sent. */
export type Container = { readonly value: Buffer; readonly records: number; readonly times: EventTimes };

export type Backlog = {
  /** Request logs, by the number of records a message. */
  readonly logs: ReadonlyMap<number, readonly Container[]>;
  readonly metrics: readonly Container[];
  readonly accounts: readonly Container[];
  /** The first records, one JSON text each, as ClickHouse reads them. */
  readonly json: readonly Buffer[];
};

export type BacklogPlan = {
  /** Records wanted in messages of each size. */
  readonly recordsBySize: ReadonlyMap<number, number>;
  readonly jsonRecords: number;
  readonly partitions: number;
  /** The newest event time, epoch milliseconds. */
  readonly atMs: number;
};

/** Events are spread as if gateways had sent them at this rate: 4 million records are one window of metrics. */
const RECORDS_PER_SECOND = 400_000;
/** The window of busy metric series, seconds. */
export const WINDOW_S = 10;
const GENERATED_AT_ONCE = 20_000;

type Series = { readonly sdkAppId: number; readonly interface: string; readonly region: string };

class Sized {
  readonly containers: Container[] = [];
  readonly #builder = new BlockBuilder<RequestLog>(REQUEST_LOG_SCHEMA);
  readonly #size: number;
  #wanted: number;
  #least = Number.POSITIVE_INFINITY;
  #greatest = 0;

  constructor(size: number, wanted: number) {
    this.#size = size;
    this.#wanted = wanted;
  }

  append(record: RequestLog): void {
    if (this.#wanted === 0) return;
    this.#wanted -= 1;
    this.#builder.append(record);
    this.#least = Math.min(this.#least, record.time);
    this.#greatest = Math.max(this.#greatest, record.time);
    const { records } = this.#builder;
    if (records < this.#size && this.#wanted > 0) return;
    const times = { least: this.#least, greatest: this.#greatest };
    this.containers.push({ value: this.#builder.finish(), records, times });
    this.#least = Number.POSITIVE_INFINITY;
    this.#greatest = 0;
  }
}

export function makeBacklog(
  traffic: Traffic,
  plan: BacklogPlan,
  onProgress: (made: number) => void,
): Backlog {
  const { atMs, partitions } = plan;
  const total = Math.max(plan.jsonRecords, ...plan.recordsBySize.values());
  const sized = new Map([...plan.recordsBySize].map(([size, wanted]) => [size, new Sized(size, wanted)]));
  const windows = new Map<string, MetricWindow<Series>>();
  const account = {
    collector: 'bench',
    boot: newIncarnation(),
    version: '0',
    startedMs: atMs,
    facts: () => NO_COLLECTOR_FACTS,
  };
  const accounts = new EdgeAccounts(account);
  const json: Buffer[] = [];
  const fromMs = atMs - Math.ceil((total / RECORDS_PER_SECOND) * 1_000);
  let made = 0;
  for (const record of generate(traffic, fromMs, atMs, total)) {
    for (const one of sized.values()) one.append(record);
    if (json.length < plan.jsonRecords) json.push(asJson(record));
    count(windows, record);
    accounts.accept(record.sdk_app_id);
    made += 1;
    if (made % 500_000 === 0) onProgress(made);
  }
  const { lanes } = singleLane(partitions);
  const [lane] = lanes;
  if (lane === undefined) throw new Error('a single lane has no lane');
  const metricRows = Array.from(windows.values(), (window) => window.row());
  const metrics = packRows(
    INTERFACE_METRIC_SCHEMA,
    metricRows,
    () => lane,
    (row) => row.window_start,
  );
  const accountRows = accounts.next(atMs, 'running');
  return {
    logs: new Map([...sized].map(([size, { containers }]) => [size, containers])),
    metrics: metrics.map(({ container, records, times }) => ({ value: container, records, times })),
    accounts: packRows(
      EDGE_ACCOUNT_SCHEMA,
      accountRows,
      () => lane,
      (row) => row.time,
    ).map(({ container, records, times }) => ({ value: container, records, times })),
    json,
  };
}

/** A random id in place of a collector's incarnation. */
export function newIncarnation(): string {
  return randomBytes(8).toString('hex');
}

export function recordsIn(containers: readonly Container[]): number {
  return containers.reduce((sum, { records }) => sum + records, 0);
}

function* generate(
  traffic: Traffic,
  fromMs: number,
  toMs: number,
  count: number,
): Generator<RequestLog, void, undefined> {
  const context: ValidationContext = {
    nowMs: toMs,
    lateMsMax: 3_600_000,
    codesOf: () => new Map(),
    onDropped: () => undefined,
    onScrubbed: () => undefined,
    onIdTaken: () => undefined,
  };
  const range = { fromMs, toMs, count, batchRecords: GENERATED_AT_ONCE, format: 'json' } as const;
  for (const { body } of traffic.between(range)) {
    const parsed: unknown[] = JSON.parse(body.toString('latin1'));
    for (const value of parsed) {
      const record = validateRecord(value, context);
      if (isRejection(record)) throw new Error(`a simulated record is refused: ${record.detail}`);
      yield { ...record, exit_ip: bytesOf(record.exit_ip) };
    }
  }
}

function bytesOf(address: number | Buffer): Buffer {
  if (typeof address !== 'number') return address;
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16BE(0xffff, 10);
  bytes.writeUInt32BE(address, 12);
  return bytes;
}

function count(windows: Map<string, MetricWindow<Series>>, record: RequestLog): void {
  const startMs = Math.floor(record.time / (WINDOW_S * 1_000)) * WINDOW_S * 1_000;
  const key = `${startMs} ${record.sdk_app_id} ${record.interface} ${record.region}`;
  let window = windows.get(key);
  if (window === undefined) {
    const series = { sdkAppId: record.sdk_app_id, interface: record.interface, region: record.region };
    window = new MetricWindow(series, { startMs, widthS: WINDOW_S, segment: 0 });
    windows.set(key, window);
  }
  window.add(countedRequest(record, WINDOW_S));
}

function asJson(record: RequestLog): Buffer {
  return Buffer.from(JSON.stringify(jsonRow(record)));
}

/** A record as a row of JSONEachRow, with address and time as text, as usual in such pipelines. */
export function jsonRow(record: RequestLog): object {
  return {
    ...record,
    time: new Date(record.time).toISOString().slice(0, -1).replace('T', ' '),
    exit_ip: addressText(record.exit_ip),
  };
}

function addressText(bytes: Buffer): string {
  if (isMappedIpv4(bytes)) return `::ffff:${bytes[12]}.${bytes[13]}.${bytes[14]}.${bytes[15]}`;
  return Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(group * 2).toString(16)).join(':');
}
