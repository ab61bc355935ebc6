/*
 * A batch as an entry of the spool: its id and head as JSON, the container that goes to Kafka unchanged, and what the
 * metrics need beside it: the width of each record's window, and the requests that were counted without being logged.
 * With it the accounting of a killed incarnation is recovered to the last record.
 */
import { INTERFACE_METRIC_SCHEMA } from '@imscope/schemas/avro-schema.js';
import type { BatchId } from '@imscope/schemas/batch-headers.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import { decodeContainer } from '@imscope/schemas/container-decoder.js';
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import type { DataTopic } from '@imscope/schemas/retention.js';
import type { TailPosition } from './tail-position.js';
import { type EncodedEntry, encodeEntry } from './entry.js';

/** Records refused since the batch logged before, by application and reason. */
export type Rejections = readonly (readonly [sdkAppId: number, reason: string, records: number])[];

export type BatchHead = {
  readonly topic: DataTopic;
  readonly id: BatchId;
  readonly records: number;
  /** Least and greatest event time, epoch milliseconds. */
  readonly times: { readonly least: number; readonly greatest: number };
  /** When it was logged, epoch milliseconds. */
  readonly loggedMs: number;
  /** It waited too long, so its container was emptied: how many records it had. */
  readonly expiredRecords?: number;
  /** It was logged and counted before: this entry only replaces that one. */
  readonly moved?: true;
  readonly rejections?: Rejections;
  /** How far a tailed file was read with it. */
  readonly tail?: TailPosition;
  /** Requests counted without being logged, by application. */
  readonly sampledOut?: readonly (readonly [sdkAppId: number, requests: number])[];
};

export type BatchBody = {
  readonly container: Buffer;
  /** Two bits a record, see `packWidths`; empty where the batch has no request logs. */
  readonly widths: Buffer;
  readonly unlogged: readonly InterfaceMetric[];
};

/** Head length 4, container length 4, widths length 4. */
const LENGTHS_BYTES = 12;

export function encodeBatch(head: BatchHead, body: BatchBody): EncodedEntry {
  const headBytes = Buffer.from(JSON.stringify(head));
  const lengths = Buffer.alloc(LENGTHS_BYTES);
  lengths.writeUInt32LE(headBytes.length, 0);
  lengths.writeUInt32LE(body.container.length, 4);
  lengths.writeUInt32LE(body.widths.length, 8);
  return encodeEntry('batch', [
    lengths,
    headBytes,
    body.container,
    body.widths,
    encodeUnlogged(body.unlogged),
  ]);
}

/** @throws Error where another version wrote the payload: its checksum was right */
export function decodeBatch(payload: Buffer): { head: BatchHead; body: BatchBody } {
  const headEnd = LENGTHS_BYTES + payload.readUInt32LE(0);
  const containerEnd = headEnd + payload.readUInt32LE(4);
  const widthsEnd = containerEnd + payload.readUInt32LE(8);
  if (widthsEnd > payload.length) throw new Error('a batch in the spool is shorter than its lengths say');
  const head: unknown = JSON.parse(payload.toString('utf8', LENGTHS_BYTES, headEnd));
  return {
    // The checksum was right, and the magic number names this version: `encodeBatch` wrote it.
    head: head as BatchHead,
    body: {
      container: payload.subarray(headEnd, containerEnd),
      widths: payload.subarray(containerEnd, widthsEnd),
      unlogged: decodeUnlogged(payload.subarray(widthsEnd)),
    },
  };
}

/** The head alone, for callers that do not count the records. */
export function decodeBatchHead(payload: Buffer): BatchHead {
  const end = LENGTHS_BYTES + payload.readUInt32LE(0);
  return JSON.parse(payload.toString('utf8', LENGTHS_BYTES, end)) as BatchHead;
}

function encodeUnlogged(rows: readonly InterfaceMetric[]): Buffer {
  if (rows.length === 0) return Buffer.alloc(0);
  const builder = new BlockBuilder<InterfaceMetric>(INTERFACE_METRIC_SCHEMA);
  for (const row of rows) builder.append(row);
  return builder.finish();
}

function decodeUnlogged(bytes: Buffer): InterfaceMetric[] {
  if (bytes.length === 0) return [];
  const decoded = decodeContainer(bytes);
  if (!decoded.ok) throw new Error(`counts of a batch in the spool cannot be read: ${decoded.fault}`);
  return decoded.records as InterfaceMetric[];
}

/** The window that counts a record: none (it was too late), one of 10 s, one of 60 s. */
const WIDTHS_S = [0, 10, 60];

/** @param widthsS of each record in the order of the container, seconds; packed into two bits a record */
export function packWidths(widthsS: readonly number[]): Buffer {
  const packed = Buffer.alloc(Math.ceil(widthsS.length / 4));
  widthsS.forEach((widthS, index) => {
    const at = index >> 2;
    packed[at] = (packed[at] ?? 0) | (WIDTHS_S.indexOf(widthS) << ((index & 3) * 2));
  });
  return packed;
}

/** The width of one record, seconds; 0 where it is in no window. */
export function widthAt(packed: Buffer, index: number): number {
  const bits = ((packed[index >> 2] ?? 0) >> ((index & 3) * 2)) & 3;
  return WIDTHS_S[bits] ?? 0;
}
