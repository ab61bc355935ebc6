/* Bytes of a line → one record, not validated yet, or a rejection: in the format that the settings name. */
import type { AccessLogOptions } from '@imscope/access-log/access-log-options.js';
import {
  type AccessLogReader,
  CLB_FORMATS,
  createAccessLogReader,
  DEFAULT_FORMATS,
} from '@imscope/access-log/access-log-record.js';
import { REJECT_REASONS, type RejectReason } from '@imscope/access-log/reject-reasons.js';
import { Rejection } from '../intake/reject-reasons.js';

/** Any value but a Rejection goes to `validateRecord`. */
export type ReadLine = (bytes: Buffer, start: number, end: number) => unknown;

/** One object a reason, since a bad log has millions. They contain nothing of a line. */
const REJECTIONS = new Map(
  Object.entries(REJECT_REASONS).map(([reason, detail]) => [
    reason,
    new Rejection(reason as RejectReason, detail),
  ]),
);

export function lineRejection(reason: RejectReason): Rejection {
  const rejection = REJECTIONS.get(reason);
  if (rejection === undefined) throw new Error(`unknown reason ${reason}`);
  return rejection;
}

export type LineReader = Pick<AccessLogReader, 'hasDuration' | 'unknown'> & { readonly readLine: ReadLine };

/** @throws LogFormatError where the log format is invalid, or lacks what every record needs */
export function createLineReader(
  format: 'nginx' | 'clb' | 'ndjson',
  options: Omit<AccessLogOptions, 'formats'> & { readonly formats: AccessLogOptions['formats'] | undefined },
): LineReader {
  if (format === 'ndjson') return { readLine: readNdjson, hasDuration: true, unknown: [] };
  const formats = options.formats ?? (format === 'clb' ? CLB_FORMATS : DEFAULT_FORMATS);
  const { readFields, hasDuration, unknown } = createAccessLogReader({ ...options, formats });
  return {
    hasDuration,
    unknown,
    readLine: (bytes, start, end) => {
      const record = readFields(bytes.toString('utf8', start, end));
      return 'ok' in record ? lineRejection(record.reason) : record;
    },
  };
}

function readNdjson(bytes: Buffer, start: number, end: number): unknown {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8', start, end));
  } catch {
    return lineRejection('malformed_json');
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? value
    : lineRejection('not_an_object');
}
