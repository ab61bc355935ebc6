/*
 * Sends a file to the collector in requests, with bounded memory: at most `inFlightMax` requests of `batchRecords`
 * records are in memory, and further lines are read only when a request was answered.
 */
import type { CollectorClient, Delivery } from './collector-client.js';
import { type Input, openInput, ReadError } from './open-input.js';
import { type Line, readLines } from '@imscope/access-log/read-lines.js';
import type { LineRecord, ReadRecord } from '@imscope/access-log/line-record.js';
import { rejected } from '@imscope/access-log/reject-reasons.js';
import { Tally } from './tally.js';
import type { Readable } from 'node:stream';

/** About half of the body size a collector accepts by default. */
const BODY_CHARACTERS_MAX = 2 << 20;

export type SendOptions = {
  readonly file: string;
  readonly stdin: Readable;
  readonly readRecord: ReadRecord;
  readonly deliver: CollectorClient['deliver'];
  readonly batchRecords: number;
  readonly inFlightMax: number;
  /** Milliseconds added to every readable time. */
  readonly shiftMs: number;
  /** When aborted, no more lines are read, and requests that were sent are waited for. */
  readonly stopping: AbortSignal;
  readonly onProgress: (tally: Tally, input: Input) => void;
};

export type SendResult = {
  readonly tally: Tally;
  /** Why reading ended before the end of the file; undefined where it did not. */
  readonly endedEarly: string | undefined;
};

type Batch = { readonly lines: number[]; readonly applications: number[]; body: string };

/** Throws UsageError where the file cannot be opened. Every other failure is in the result. */
export async function sendFile(options: SendOptions): Promise<SendResult> {
  const input = await openInput(options.file, options.stdin);
  const tally = new Tally();
  const requests = new Set<Promise<void>>();
  const failure = new AbortController();
  let endedEarly: string | undefined;
  const dispatch = async (batch: Batch): Promise<void> => {
    if (batch.lines.length === 0) return;
    while (requests.size >= options.inFlightMax) await Promise.race(requests);
    const request = deliverBatch(batch, options, tally, failure).finally(() => {
      requests.delete(request);
      options.onProgress(tally, input);
    });
    requests.add(request);
  };
  // Closing ends a read that waits for a pipe, so that a stop waits only for requests that were sent.
  options.stopping.addEventListener('abort', input.close, { once: true });
  let batch = emptyBatch();
  try {
    for await (const line of readLines(input.bytes)) {
      if (failure.signal.aborted || options.stopping.aborted) break;
      if (!addLine(line, batch, options, tally)) continue;
      if (batch.lines.length >= options.batchRecords || batch.body.length >= BODY_CHARACTERS_MAX) {
        await dispatch(batch);
        batch = emptyBatch();
      }
    }
    const trailing = input.trailing();
    if (trailing !== undefined) endedEarly = `the rest of the file cannot be read: ${trailing}`;
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    if (!options.stopping.aborted) endedEarly = `the rest of the file cannot be read: ${error.message}`;
  } finally {
    options.stopping.removeEventListener('abort', input.close);
    input.close();
  }
  await dispatch(batch);
  await Promise.all(requests);
  if (options.stopping.aborted) endedEarly ??= 'stopped before the end of the file';
  if (failure.signal.aborted) endedEarly ??= String(failure.signal.reason);
  return { tally, endedEarly };
}

/**
 * The offset that moves the newest record's time to `nowMs`; undefined where no record has a time. Of a damaged file
 * the part before the fault is read, as in `sendFile`, which reports the fault.
 */
export async function measureShift(
  options: Pick<SendOptions, 'file' | 'stdin' | 'readRecord'>,
  nowMs: number,
): Promise<{ readonly shiftMs: number; readonly newestMs: number; readonly newestLine: number } | undefined> {
  const input = await openInput(options.file, options.stdin);
  let newest: { timeMs: number; line: number } | undefined;
  try {
    for await (const { number, text } of readLines(input.bytes)) {
      const record = text === undefined || text.trim() === '' ? undefined : options.readRecord(text);
      if (record?.ok !== true || record.timeMs === undefined) continue;
      if (newest === undefined || record.timeMs > newest.timeMs)
        newest = { timeMs: record.timeMs, line: number };
    }
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
  } finally {
    input.close();
  }
  if (newest === undefined) return undefined;
  return { shiftMs: nowMs - newest.timeMs, newestMs: newest.timeMs, newestLine: newest.line };
}

function emptyBatch(): Batch {
  return { lines: [], applications: [], body: '' };
}

/** True where the line became a record of the batch. Blank lines are not counted. */
function addLine(line: Line, batch: Batch, options: SendOptions, tally: Tally): boolean {
  if (line.text?.trim() === '') return false;
  tally.read += 1;
  const record = line.text === undefined ? rejected('line_too_long') : options.readRecord(line.text);
  if (!record.ok) {
    tally.reject('imscope', record.reason, record.detail, [line.number], 1);
    return false;
  }
  addRecord(record, line.number, batch, options.shiftMs);
  return true;
}

function addRecord(record: LineRecord, line: number, batch: Batch, shiftMs: number): void {
  batch.lines.push(line);
  batch.applications.push(record.sdkAppId);
  batch.body += `${record.toJson(shiftMs)}\n`;
}

async function deliverBatch(
  batch: Batch,
  options: SendOptions,
  tally: Tally,
  failure: AbortController,
): Promise<void> {
  const stopRetries = AbortSignal.any([options.stopping, failure.signal]);
  const delivery = await options.deliver(batch.body, batch.lines.length, stopRetries);
  countResults(batch, delivery, tally);
  // The next request would fail the same way, so reading ends.
  if (delivery.kind === 'not_sent') failure.abort(delivery.why);
}

function countResults(batch: Batch, delivery: Delivery, tally: Tally): void {
  const { lines } = batch;
  if (delivery.kind !== 'accepted') {
    const range = { from: lines[0] ?? 0, to: lines.at(-1) ?? 0, records: lines.length, why: delivery.why };
    if (delivery.kind === 'in_doubt') tally.addInDoubt(range);
    else tally.addNotSent(range);
    return;
  }
  tally.accepted += delivery.accepted;
  for (const [reason, times] of delivery.rejectedByReason) {
    const named = delivery.rejected.filter((rejection) => rejection.reason === reason);
    const namedLines = named.flatMap(({ index }) => lines[index] ?? []);
    tally.reject('collector', reason, named[0]?.detail ?? '', namedLines, times);
  }
  // All applications of the batch count as sent: the collector does not list every rejected record.
  if (delivery.accepted > 0) for (const sdkAppId of batch.applications) tally.countSent(sdkAppId);
}
