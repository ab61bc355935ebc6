/*
 * A history as the tables would hold it: collectors with incarnations, batches, accounts and metrics; partitions with blocks
 * in which batches come, come twice, come empty or cannot be read. Consistent by construction and written without
 * any code of the aggregator's; a test then breaks one row of it.
 */
import { createHash } from 'node:crypto';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { Random } from '../simulation/random.js';

export const PREFIX = 'history.';
const CLUSTER = 'cluster';
const MINUTE_MS = 60_000;
const LATE_MS = 2 * 3_600_000;
const MINUTES = 6;
const PARTITIONS = 2;
const APPLICATIONS: readonly [number, number] = [1_400_000_001, 1_400_000_002];

export type LogRow = {
  readonly time: number;
  readonly sdk_app_id: number;
  readonly weight: number;
  readonly block_id: string;
  readonly block_row: number;
};

export type Interval = { boot: string; first_sequence: number; last_sequence: number; records: number };
export type Loss = { boot: string; sequence: number; records: number };

export type BlockRow = {
  topic: string;
  epoch: number;
  partition: number;
  first_offset: number;
  last_offset: number;
  messages: number;
  rows: number;
  duplicate_messages: number;
  duplicate_rows: number;
  dead_messages: number;
  dead_rows: number;
  block_ids: string[];
  batches: Interval[];
  expired_batches: Loss[];
  dead_batches: Loss[];
  appended: number;
  first_event: number | null;
  last_event: number | null;
};

export type AccountRow = {
  readonly time: number;
  readonly collector: string;
  readonly boot: string;
  readonly started: number;
  readonly sequence: number;
  readonly final: boolean;
  readonly partitions: { topic: string; partition: number; last_sequence: number; records: number }[];
};

export type MetricRow = {
  readonly window_start: number;
  readonly sdk_app_id: number;
  readonly logged_weight: number;
};

export type History = {
  readonly logs: LogRow[];
  readonly blocks: BlockRow[];
  readonly accounts: AccountRow[];
  readonly metrics: MetricRow[];
};

type Message = {
  readonly boot: string;
  readonly sequence: number;
  readonly kind: 'stored' | 'duplicate' | 'dead' | 'expired';
  readonly records: readonly { readonly time: number; readonly sdk_app_id: number }[];
};

/**
 * Blocks are appended and accounts written in the minutes after `startMs`.
 * @param options.losses whether batches expire or cannot be read @param options.keys whether some come under keys
 */
export function makeHistory(seed: number, startMs: number, { losses = true, keys = true } = {}): History {
  const random = new Random(seed);
  const history: History = { logs: [], blocks: [], accounts: [], metrics: [] };
  const incarnations = [
    new IncarnationModel('boota00000000001', 'edge-1', startMs, keys ? 0.2 : 0),
    new IncarnationModel('bootb00000000001', 'edge-2', startMs, keys ? 0.2 : 0),
  ];
  const log = new LogModel(history);
  for (let minute = 0; minute < MINUTES; minute++) {
    const atMs = startMs + minute * MINUTE_MS;
    for (const incarnation of incarnations)
      incarnation.sendMinute(random, log, history, atMs, losses ? 0.1 : 0);
    const last = minute === MINUTES - 1;
    // Else a block reaches over the account.
    if (random.chance(0.5)) log.cut(atMs + 30_000);
    for (const incarnation of incarnations) incarnation.writeAccount(log, history, atMs + 45_000, last);
    if (last || random.chance(0.5)) log.cut(atMs + 50_000);
  }
  return history;
}

/** One incarnation of a collector: its sequences and cumulative records by topic and partition. */
class IncarnationModel {
  readonly #sent = new Map<
    string,
    { topic: string; partition: number; last_sequence: number; records: number }
  >();
  #accounts = 0;

  constructor(
    readonly boot: string,
    readonly collector: string,
    readonly startedMs: number,
    readonly keyedShare: number,
  ) {}

  sendMinute(random: Random, log: LogModel, history: History, atMs: number, lossy: number): void {
    const counted = new Map<number, number>();
    for (let batch = random.integer(1, 6); batch > 0; batch--) {
      // Later than an hour: logged, and in no metric.
      const late = random.chance(0.1);
      const records = Array.from({ length: random.integer(1, 9) }, () => ({
        time: atMs + random.integer(0, 20_000) - (late ? LATE_MS : 0),
        sdk_app_id: random.pick(APPLICATIONS),
      }));
      const partition = random.integer(0, PARTITIONS - 1);
      const message = { ...this.#newBatch(random, partition, records.length), records };
      const kind = random.chance(lossy) ? 'dead' : random.chance(lossy) ? 'expired' : 'stored';
      if (!late) for (const { sdk_app_id: id } of records) counted.set(id, (counted.get(id) ?? 0) + 1);
      log.append('im.request-log', partition, { ...message, kind });
      if (kind !== 'expired' && random.chance(0.2)) {
        log.append('im.request-log', partition, { ...message, kind: kind === 'dead' ? 'dead' : 'duplicate' });
      }
      // Mended and sent back: stored after all.
      if (kind === 'dead' && random.chance(0.4))
        log.append('im.request-log', partition, { ...message, kind: 'stored' });
      if (random.chance(0.1)) log.cut(atMs + 25_000);
    }
    for (const [sdk_app_id, logged_weight] of counted) {
      history.metrics.push({ window_start: atMs, sdk_app_id, logged_weight });
    }
    const rows = Array.from(counted, () => ({ time: atMs, sdk_app_id: 0 }));
    if (rows.length === 0) return;
    const sequence = this.#take('im.interface-metric', 0, rows.length);
    log.append('im.interface-metric', 0, { boot: this.boot, sequence, records: rows, kind: 'stored' });
  }

  /** Sometimes with a keyed id, and without a sequence in the account. */
  #newBatch(random: Random, partition: number, records: number): { boot: string; sequence: number } {
    if (!random.chance(this.keyedShare)) {
      return { boot: this.boot, sequence: this.#take('im.request-log', partition, records) };
    }
    const key = `im.request-log/${partition}/keyed`;
    const counts = this.#sent.get(key) ?? {
      topic: 'im.request-log',
      partition,
      last_sequence: -1,
      records: 0,
    };
    counts.records += records;
    this.#sent.set(key, counts);
    return { boot: `k${String(random.integer(0, 1e9)).padStart(24, '0')}`, sequence: 0 };
  }

  writeAccount(log: LogModel, history: History, atMs: number, final: boolean): void {
    const partitions = Array.from(this.#sent.values(), (counts) => ({ ...counts }));
    history.accounts.push({
      time: atMs,
      collector: this.collector,
      boot: this.boot,
      started: this.startedMs,
      sequence: this.#accounts,
      final,
      partitions,
    });
    this.#accounts += 1;
    const sequence = this.#take('im.edge-account', 0, 1);
    const records = [{ time: atMs, sdk_app_id: 0 }];
    log.append('im.edge-account', 0, { boot: this.boot, sequence, records, kind: 'stored' });
  }

  #take(topic: string, partition: number, records: number): number {
    const key = `${topic}/${partition}`;
    const counts = this.#sent.get(key) ?? { topic, partition, last_sequence: -1, records: 0 };
    counts.last_sequence += 1;
    counts.records += records;
    this.#sent.set(key, counts);
    return counts.last_sequence;
  }
}

/** The partitions' logs, cut into blocks. Two appends in a row of one incarnation become one interval. */
class LogModel {
  readonly #open = new Map<string, { topic: string; partition: number; messages: Message[] }>();
  readonly #next = new Map<string, number>();

  constructor(readonly history: History) {}

  append(topic: string, partition: number, message: Message): void {
    const key = `${topic}/${partition}`;
    const open = this.#open.get(key) ?? { topic, partition, messages: [] };
    open.messages.push(message);
    this.#open.set(key, open);
  }

  cut(appended: number): void {
    for (const [key, { topic, partition, messages }] of this.#open) {
      const first = this.#next.get(key) ?? 0;
      // A marker ends it.
      this.#next.set(key, first + messages.length + 1);
      this.#store(topic, partition, first, messages, appended);
    }
    this.#open.clear();
  }

  #store(
    topic: string,
    partition: number,
    first: number,
    messages: readonly Message[],
    appended: number,
  ): void {
    const stored = messages.filter(({ kind }) => kind === 'stored');
    const rows = stored.flatMap(({ records }) => records);
    const of = (kind: Message['kind']): Loss[] =>
      messages
        .filter((message) => message.kind === kind)
        .map(({ boot, sequence, records }) => ({ boot, sequence, records: records.length }));
    const block_id = blockId(topic, partition, first, first + messages.length);
    const times = rows.map(({ time }) => time);
    const duplicates = messages.filter(({ kind }) => kind === 'duplicate');
    const withRows = topic !== 'im.request-log' || rows.length > 0;
    this.history.blocks.push({
      topic: PREFIX + topic,
      epoch: 0,
      partition,
      first_offset: first,
      last_offset: first + messages.length,
      messages: messages.length + 1,
      rows: rows.length,
      duplicate_messages: duplicates.length,
      duplicate_rows: duplicates.reduce((sum, { records }) => sum + records.length, 0),
      dead_messages: of('dead').length,
      dead_rows: of('dead').reduce((sum, { records }) => sum + records, 0),
      block_ids: rows.length > 0 && withRows ? [block_id] : [],
      batches: intervals(messages),
      expired_batches: of('expired'),
      dead_batches: of('dead'),
      appended,
      first_event: times.length === 0 ? null : Math.min(...times),
      last_event: times.length === 0 ? null : Math.max(...times),
    });
    if (topic !== 'im.request-log') return;
    for (const [block_row, row] of rows.entries()) {
      this.history.logs.push({ ...row, weight: 1, block_id, block_row });
    }
  }
}

function blockId(topic: string, partition: number, first: number, last: number): string {
  const fingerprint = REQUEST_LOG_SCHEMA.fingerprint.toString('hex');
  const token = `${CLUSTER}:${PREFIX}${topic}:0:${partition}:${first}:${last}:${fingerprint}`;
  return createHash('md5').update(token).digest().readBigUInt64BE(0).toString();
}

function intervals(messages: readonly Message[]): Interval[] {
  const there = messages
    .filter(({ kind }) => kind === 'stored' || kind === 'expired')
    .map(({ boot, sequence, kind, records }) => ({
      boot,
      first_sequence: sequence,
      last_sequence: sequence,
      records: kind === 'expired' ? 0 : records.length,
    }))
    .toSorted((a, b) => a.boot.localeCompare(b.boot) || a.first_sequence - b.first_sequence);
  const merged: Interval[] = [];
  for (const next of there) {
    const last = merged.at(-1);
    if (last?.boot === next.boot && last.last_sequence + 1 === next.first_sequence) {
      last.last_sequence = next.last_sequence;
      last.records += next.records;
    } else merged.push(next);
  }
  return merged;
}

/** Puts a history in place of whatever the tables hold. */
export async function writeHistory(store: ClickHouseClient, history: History): Promise<void> {
  const tables = ['request_log', 'block_ledger', 'edge_account', 'interface_metric'];
  for (const table of tables) await store.command({ query: `TRUNCATE TABLE ${table}` });
  await insert(
    store,
    'request_log',
    history.logs.map((row) => ({ ...LOG_DEFAULTS, ...row, time: time(row.time) })),
  );
  await insert(
    store,
    'block_ledger',
    history.blocks.map(({ appended, first_event, last_event, ...row }) => ({
      ...row,
      cluster: CLUSTER,
      cut: 'marker',
      first_appended: time(appended),
      last_appended: time(appended),
      first_event: time(first_event),
      last_event: time(last_event),
      stored_at: time(appended + 1_000),
    })),
  );
  await writeAccounts(store, history.accounts);
  await insert(
    store,
    'interface_metric',
    history.metrics.map((row) => ({ ...row, window_start: time(row.window_start), window_s: 60 })),
  );
}

/** Adds rows of accounts to those that are there. */
export async function writeAccounts(store: ClickHouseClient, accounts: readonly AccountRow[]): Promise<void> {
  const rows = accounts.map((row) => ({
    ...row,
    time: time(row.time),
    started: time(row.started),
    chunks: 1,
  }));
  await insert(store, 'edge_account', rows);
}

function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

const LOG_DEFAULTS = { interface: 'openim/sendmsg', exit_ip: '::1', outcome: 'success' };

async function insert(store: ClickHouseClient, table: string, values: readonly object[]): Promise<void> {
  if (values.length === 0) return;
  await store.insert({
    table,
    values: [...values],
    format: 'JSONEachRow',
    clickhouse_settings: { date_time_input_format: 'best_effort', insert_deduplicate: 0 },
  });
}
