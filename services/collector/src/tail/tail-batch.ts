/*
 * Lines of a tailed file → one batch, which has no records of requests, so that the batch and the position after its
 * last line are logged together or not at all.
 */
import { LINE_BYTES_MAX } from '@imscope/access-log/read-lines.js';
import type { Grant } from '@imscope/access/grant.js';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import type { Lane } from '@imscope/schemas/lanes.js';
import { type NewRequestLog, REQUEST_LOG_ENCODER } from '@imscope/schemas/request-log-encoder.js';
import { Batch } from '../batches/batch.js';
import { OpenBatch, type OpenBatchOptions } from '../batches/open-batch.js';
import { type Intake, RecordIntake } from '../intake/intake.js';
import type { IntakeWatch } from '../intake/intake-watch.js';
import type { ApplicationLimits, RequestLimits } from '../limits/application-limits.js';
import { lineRejection, type ReadLine } from './line-reader.js';

export type TailBatchOptions = OpenBatchOptions & {
  readonly lane: Lane;
  readonly readLine: ReadLine;
  readonly lateMsMax: number;
  readonly applications: Pick<ApplicationLimits, 'forRequest'>;
  /** Shows the records to live viewers; undefined while there are none. */
  readonly watch: (sender: string) => IntakeWatch | undefined;
  /** The record with its interface, or with the interface for those above the bound. */
  readonly cap: (record: NewRequestLog, nowMs: number) => NewRequestLog;
};

export type TailBatch = {
  readonly batch: Batch;
  readonly intake: Intake;
  /** Without blank ones. */
  readonly lines: number;
  /** How many bytes were read. */
  readonly bytes: number;
  readonly sampledOut: number;
  readonly limits: Pick<RequestLimits, 'refund'>;
};

/** Most lines of a batch for each record that fits: bounds the time for a log with bad lines only. */
const LINES_PER_RECORD = 4;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;

/** A process that may write the file may send for all applications. */
const GRANT: Grant = {
  name: 'tail',
  scope: 'write',
  applications: 'all',
  tokenHash: '',
  recordsPerSecondMax: Number.POSITIVE_INFINITY,
  expiresMs: Number.POSITIVE_INFINITY,
};

export class TailBatcher {
  readonly #options: TailBatchOptions;
  readonly #builder = new BlockBuilder<NewRequestLog>(REQUEST_LOG_SCHEMA, REQUEST_LOG_ENCODER);

  constructor(options: TailBatchOptions) {
    this.#options = options;
  }

  /**
   * Reads lines from `start` until the batch is full, without waiting.
   * @param bytes complete lines; the last may lack its newline
   * @param afterLongLine a line before them was too long
   */
  fill(bytes: Buffer, start: number, afterLongLine: boolean): TailBatch {
    const { lane, readLine, lateMsMax, applications, cap, recordsMax, watch } = this.#options;
    const nowMs = Date.now();
    // It has no deadline: no request waits for it.
    const batch = new Batch(lane, Number.POSITIVE_INFINITY);
    const open = new OpenBatch(batch, this.#builder, this.#options);
    const limits = applications.forRequest(performance.now());
    const records = new RecordIntake({
      grant: GRANT,
      limits,
      nowMs,
      lateMsMax,
      allOrNothing: false,
      watch: watch(GRANT.name),
      append: (record) => {
        open.append(cap(record, nowMs), nowMs);
        return batch;
      },
      countOnly: (record) => {
        open.countOnly(cap(record, nowMs), nowMs);
        return batch;
      },
    });
    let lines = 0;
    if (afterLongLine) records.accept(lines++, lineRejection('line_too_long'));
    let at = start;
    while (at < bytes.length && !open.full && lines < recordsMax * LINES_PER_RECORD) {
      const newline = bytes.indexOf(NEWLINE, at);
      const next = newline === -1 ? bytes.length : newline + 1;
      const lineStart = withoutNulls(bytes, at);
      const lineEnd = withoutReturn(bytes, newline === -1 ? next : newline);
      at = next;
      if (isBlank(bytes, lineStart, lineEnd)) continue;
      const tooLong = lineEnd - lineStart > LINE_BYTES_MAX;
      records.accept(lines++, tooLong ? lineRejection('line_too_long') : readLine(bytes, lineStart, lineEnd));
    }
    open.close();
    const intake = records.finish();
    return { batch, intake, lines, bytes: at - start, sampledOut: limits.sampledOut, limits };
  }
}

/** A file that was truncated while being written has NUL bytes before the next line. */
function withoutNulls(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === 0) at += 1;
  return at;
}

function withoutReturn(bytes: Buffer, end: number): number {
  return bytes[end - 1] === RETURN ? end - 1 : end;
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] ?? 0) > SPACE) return false;
  return true;
}
