/*
 * Tells whether a value is valid for a field of a record, by the readers that `validateRecord` uses. OTLP has several
 * attributes for one field: the first one with a valid value is used, so that an empty or malformed attribute does not hide
 * a good one.
 */
import { type Field, FIELDS } from '@imscope/schemas/raw-fields.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { isRejection } from './reject-reasons.js';
import * as read from './validate-record.js';

const { codeMin, codeMax, sdkAppIdMax, labelLengthMax } = REQUEST_LOG_BOUNDS;

type Reader = (field: Field, value: unknown) => unknown;

const duration: Reader = (field, value) => read.readDuration(field, value);
const label: Reader = (field, value) => read.readText(field, value, labelLengthMax);

const READERS: Readonly<Record<Field, Reader>> = {
  sdk_app_id: (field, value) => read.readWhole(field, value, 1, sdkAppIdMax),
  interface: (_, value) => read.readInterface(value),
  exit_ip: (_, value) => read.readAddress(value),
  latency_ms: duration,
  upstream_ms: duration,
  rtt_ms: duration,
  code: (field, value) => read.readWhole(field, value, codeMin, codeMax),
  // 0 means that the status is unknown.
  http_status: (_, value) => read.readHttpStatus(value) || undefined,
  exception: (field, value) => read.readText(field, value, REQUEST_LOG_BOUNDS.exceptionLengthMax),
  cause: (field, value) => read.readText(field, value, REQUEST_LOG_BOUNDS.causeLengthMax),
  node: label,
  region: label,
  platform: label,
  sdk_version: label,
  request_id: (field, value) => read.readText(field, value, REQUEST_LOG_BOUNDS.requestIdLengthMax),
};

const READERS_BY_INDEX = FIELDS.map((field) => ({ field, reader: READERS[field] }));

/** @param fieldIndex of the field in `FIELDS` */
export function isValidFieldValue(fieldIndex: number, value: unknown): boolean {
  const entry = READERS_BY_INDEX[fieldIndex];
  if (entry === undefined || value === undefined || value === null || value === '') return false;
  const result = entry.reader(entry.field, value);
  return result !== undefined && !isRejection(result);
}
