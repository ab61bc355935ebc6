/*
 * The request log, one record for every interface request, in its two forms: `RequestLog` as it is stored (Avro,
 * microseconds, 16-byte addresses) and `RequestLogJson` as a gateway sends it. Both follow from the table of fields.
 */
import type { Outcome } from './outcome.js';
import { REQUEST_LOG_FIELDS, type RequestLogField, type StoredFieldName } from './request-log-fields.js';

type Table = typeof REQUEST_LOG_FIELDS;

type StoredValue<F extends RequestLogField> = F['type'] extends 'text'
  ? string
  : F['type'] extends 'address'
    ? Buffer
    : F['type'] extends 'outcome'
      ? Outcome
      : F['nullable'] extends true
        ? number | null
        : number;

/** As written to Avro. Durations in microseconds; texts are empty and `http_status` 0 where unknown. */
export type RequestLog = { readonly [K in StoredFieldName]: StoredValue<Table[K]> };

/** Stored names of the fields that gateways send: those they have to, and those they may leave out. */
type SentField<Required extends boolean> = {
  [K in StoredFieldName]: Table[K] extends { sentAs: string; required: Required } ? K : never;
}[StoredFieldName];

/** A time may be RFC 3339 or epoch milliseconds; an address is text. */
type SentValue<F extends RequestLogField> = F['type'] extends 'time'
  ? string | number
  : F['type'] extends 'text' | 'address'
    ? string
    : F['nullable'] extends true
      ? number | null
      : number;

/** As sent to `POST /v1/request-logs`. Unknown fields are refused. */
export type RequestLogJson = {
  readonly [K in SentField<true> as Table[K]['sentAs']]: SentValue<Table[K]>;
} & {
  readonly [K in SentField<false> as Table[K]['sentAs']]?: SentValue<Table[K]>;
};

const {
  sdk_app_id,
  interface: name,
  latency_us,
  code,
  exception,
  cause,
  node,
  request_id,
} = REQUEST_LOG_FIELDS;

/** The bounds that several fields share, by what they bound; lengths in UTF-16 units, durations in microseconds. */
export const REQUEST_LOG_BOUNDS = {
  sdkAppIdMax: sdk_app_id.max,
  interfaceLengthMax: name.lengthMax,
  durationUsMax: latency_us.max,
  codeMin: code.min,
  codeMax: code.max,
  exceptionLengthMax: exception.lengthMax,
  causeLengthMax: cause.lengthMax,
  labelLengthMax: node.lengthMax,
  requestIdLengthMax: request_id.lengthMax,
  /** How far ahead of the collector's clock an event may be. How old it may be is LATE_HOURS_MAX. */
  aheadMsMax: 5 * 60_000,
} as const;
