/*
 * Whether a value would be taken for a field. Sources that may say one thing by several names ask before they choose, so
 * that an empty or unreadable value never hides a good one. The readers are those of the record's own checks.
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
  // 0 says that the status is not known.
  http_status: (_, value) => read.readHttpStatus(value) || undefined,
  exception: (field, value) => read.readText(field, value, REQUEST_LOG_BOUNDS.exceptionLengthMax),
  cause: (field, value) => read.readText(field, value, REQUEST_LOG_BOUNDS.causeLengthMax),
  node: label,
  region: label,
  platform: label,
  sdk_version: label,
  request_id: (field, value) => read.readText(field, value, REQUEST_LOG_BOUNDS.requestIdLengthMax),
};

const BY_PLACE = FIELDS.map((field) => ({ field, reader: READERS[field] }));

/** @param place of the field in `FIELDS` */
export function isUsable(place: number, value: unknown): boolean {
  const of = BY_PLACE[place];
  if (of === undefined || value === undefined || value === null || value === '') return false;
  const taken = of.reader(of.field, value);
  return taken !== undefined && !isRejection(taken);
}
