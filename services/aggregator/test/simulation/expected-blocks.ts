/*
 * What must follow from a log, computed without the aggregator's code for it: where its blocks end, and what is
 * stored, dead or a duplicate in each.
 */
import { decodeContainer } from '@imscope/schemas/container-decoder.js';
import type { LedgerRow } from '../../src/blocks/block-content.js';
import type { LogMessage } from '../../src/blocks/block-cutter.js';
import type { Log } from './model-broker.js';
import { identify } from './model-store.js';

export type ExpectedBlock = {
  readonly first: number;
  last: number;
  messages: number;
  /** Of the offsets that were deleted, those without records: whether they count depends on who read them before. */
  deletedHoles: number;
  rows: number;
  /** Record ids for each schema, in order of the log. */
  readonly inserts: Map<string, string[]>;
  readonly batches: Set<string>;
  duplicates: number;
  duplicateRows: number;
  readonly dead: number[];
  next: { rowsMax: number; bytesMax: number };
};

/** What the aggregator starts with, by contract: schemas/src/block-bounds.ts. */
const FIRST_BOUNDS = { rowsMax: 200_000, bytesMax: 16_000_000 };

type Read =
  /** `rows`: what it says to hold, where only decoding tells that it does not. They count for the row bound. */
  | { readonly kind: 'dead'; readonly rows: number }
  | { readonly kind: 'marker'; readonly bounds: { rowsMax: number; bytesMax: number } | undefined }
  | {
      readonly kind: 'data';
      readonly batch: string;
      readonly schema: string;
      readonly ids: readonly string[];
    };

/** Blocks that are closed, and how much the open one after them holds. */
export type ExpectedLog = { readonly blocks: readonly ExpectedBlock[]; readonly openHolds: number };

/** One partition through all lives of its topic; batches of one life are known in the next. */
export function expectedLogs(lives: readonly Log[]): ExpectedLog[] {
  const stored = new Set<string>();
  return lives.map((log) => expectedLog(log, stored));
}

/** Ledger rows by life: each life that makes blocks has its epoch, in order. */
export function rowsByLife(logs: readonly ExpectedLog[], rows: readonly LedgerRow[]): LedgerRow[][] {
  const epochs = [...new Set(rows.map(({ epoch }) => epoch))].toSorted((a, b) => a - b);
  return logs.map(({ blocks }) => {
    if (blocks.length === 0) return [];
    const epoch = epochs.shift();
    return rows.filter((row) => row.epoch === epoch);
  });
}

function expectedLog({ messages, lost, holes }: Log, stored: Set<string>): ExpectedLog {
  const blocks: ExpectedBlock[] = [];
  let bounds = FIRST_BOUNDS;
  let open = newBlock(0, bounds);
  let bytes = 0;
  let deadRows = 0;
  for (const message of messages) {
    if (lost.has(message.offset)) {
      open.messages -= 1;
      if (holes.has(message.offset) || readMessage(message).kind === 'marker') open.deletedHoles += 1;
    }
    if (lost.has(message.offset) || holes.has(message.offset)) continue;
    const read = readMessage(message);
    open.last = message.offset;
    bytes += message.value?.length ?? 0;
    if (read.kind === 'marker') bounds = read.bounds ?? bounds;
    else {
      take(open, message.offset, read, stored);
      if (read.kind === 'dead') deadRows += read.rows;
    }
    const worth = open.inserts.size + open.dead.length + open.duplicates > 0;
    const ends =
      read.kind === 'marker' ? worth : open.rows + deadRows >= bounds.rowsMax || bytes >= bounds.bytesMax;
    if (!ends) continue;
    open.next = bounds;
    // All offsets it spans, holes too, but for those that were deleted.
    open.messages += open.last - open.first + 1;
    blocks.push(open);
    open = newBlock(message.offset + 1, bounds);
    bytes = 0;
    deadRows = 0;
  }
  return { blocks, openHolds: open.inserts.size + open.dead.length + open.duplicates };
}

function newBlock(first: number, next: ExpectedBlock['next']): ExpectedBlock {
  const empty = { messages: 0, deletedHoles: 0, rows: 0, duplicates: 0, duplicateRows: 0 };
  return { first, last: first, ...empty, inserts: new Map(), batches: new Set(), dead: [], next };
}

function take(block: ExpectedBlock, offset: number, read: Read, stored: Set<string>): void {
  if (read.kind === 'data' && !stored.has(read.batch)) {
    stored.add(read.batch);
    block.batches.add(read.batch);
    block.inserts.set(read.schema, [...(block.inserts.get(read.schema) ?? []), ...read.ids]);
    block.rows += read.ids.length;
  } else if (read.kind === 'data') {
    block.duplicates += 1;
    block.duplicateRows += read.ids.length;
  } else block.dead.push(offset);
}

/** Every message is read once for all checks of a run. */
const known = new WeakMap<LogMessage, Read>();

function readMessage(message: LogMessage): Read {
  const before = known.get(message);
  if (before !== undefined) return before;
  const read: Read =
    message.value === null ? { kind: 'dead', rows: 0 } : readValue(message.value, message.headers);
  known.set(message, read);
  return read;
}

function readValue(value: Buffer, headers: LogMessage['headers']): Read {
  const marker = headers?.['imscope-marker'];
  if (typeof marker === 'string') {
    const [rowsMax = 0, bytesMax = 0] = marker.split(':').map(Number);
    return { kind: 'marker', bounds: { rowsMax, bytesMax } };
  }
  const decoded = decodeContainer(value);
  const [batch, count] = [headers?.['imscope-batch'], headers?.['imscope-count']];
  if (!decoded.ok) {
    const formIsWhole = decoded.fault === 'bad_record' || decoded.fault === 'bad_packing';
    return { kind: 'dead', rows: formIsWhole ? Number(count) : 0 };
  }
  if (typeof batch !== 'string' || Number(count) !== decoded.records.length) return { kind: 'dead', rows: 0 };
  const schema = value.includes('"window_start"') ? 'second' : 'first';
  return { kind: 'data', batch, schema, ids: decoded.records.map((record) => identify(record).id) };
}
