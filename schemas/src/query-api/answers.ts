/*
 * Answers of the query service. Counts are requests: sums of weights, so sampling does not show. Durations are
 * milliseconds; averages are exact, percentiles by nearest rank within 1.1 %. A rate is null where nothing
 * could be judged: success rate = success / (success + service_error).
 */
import { type Static, type TSchema, Type } from 'typebox';
import { OUTCOMES } from '../outcome.js';

const Count = Type.Integer({ minimum: 0 });
const Time = Type.String({ description: 'RFC 3339, UTC, milliseconds' });
const NullableNumber = Type.Union([Type.Number(), Type.Null()]);
// Written out one by one, so that the static type is the union of its names: of an array it would be never.
const OutcomeName = Type.Union([
  Type.Literal(OUTCOMES[0]),
  Type.Literal(OUTCOMES[1]),
  Type.Literal(OUTCOMES[2]),
  Type.Literal(OUTCOMES[3]),
]);

export const OutcomeCounts = Type.Object({
  success: Count,
  caller_error: Count,
  service_error: Count,
  unknown: Count,
});
export type OutcomeCounts = Static<typeof OutcomeCounts>;

export const LatencySummary = Type.Object({
  avg: NullableNumber,
  p50: NullableNumber,
  p90: NullableNumber,
  p95: NullableNumber,
  p99: NullableNumber,
  max: NullableNumber,
});
export type LatencySummary = Static<typeof LatencySummary>;

/** What is said of any set of requests: a whole application, one interface, one step of time. */
const Performance = {
  requests: Count,
  requests_per_s: Type.Number(),
  outcomes: OutcomeCounts,
  success_rate: NullableNumber,
  latency_ms: LatencySummary,
};

export const CodeCount = Type.Object({
  code: Type.Union([Type.Integer(), Type.Null()]),
  outcome: OutcomeName,
  count: Count,
  /** Of all requests in the window, 0 to 1; of an interface's top code, of that interface's own. */
  share: Type.Number(),
  name: Type.String(),
  meaning: Type.String(),
  advice: Type.String(),
});
export type CodeCount = Static<typeof CodeCount>;

export const SparkPoint = Type.Object({ time: Time, requests: Count, success_rate: NullableNumber });
export type SparkPoint = Static<typeof SparkPoint>;

export const ApplicationRow = Type.Object({
  sdk_app_id: Type.Integer(),
  ...Performance,
  interfaces: Count,
  /** The interface with the most service errors, or null where there are none. */
  worst_interface: Type.Union([
    Type.Object({ interface: Type.String(), service_errors: Count, success_rate: NullableNumber }),
    Type.Null(),
  ]),
  last_seen: Time,
  sparkline: Type.Array(SparkPoint),
});
export type ApplicationRow = Static<typeof ApplicationRow>;

export const Overview = Type.Object({
  ...Performance,
  interfaces: Count,
  /** The same figures over the span of equal length just before, for comparison. */
  previous: Type.Object(Performance),
  /** All codes but 0, most frequent first, 50 at most. */
  codes: Type.Array(CodeCount),
});
export type Overview = Static<typeof Overview>;

export const InterfaceRow = Type.Object({
  interface: Type.String(),
  ...Performance,
  /** The most frequent code that is no success, or null where there is none. */
  top_code: Type.Union([CodeCount, Type.Null()]),
  last_seen: Time,
});
export type InterfaceRow = Static<typeof InterfaceRow>;

export const TimePoint = Type.Object({ time: Time, ...Performance });
export type TimePoint = Static<typeof TimePoint>;

export const ExceptionRow = Type.Object({
  exception: Type.String(),
  interface: Type.String(),
  code: Type.Union([Type.Integer(), Type.Null()]),
  outcome: OutcomeName,
  count: Count,
  first_seen: Time,
  last_seen: Time,
  nodes: Count,
  regions: Count,
  /** Most frequent causes, 3 at most. */
  causes: Type.Array(Type.Object({ cause: Type.String(), count: Count })),
  name: Type.String(),
  advice: Type.String(),
  sample_request_id: Type.String(),
});
export type ExceptionRow = Static<typeof ExceptionRow>;

export const RequestRow = Type.Object({
  time: Time,
  interface: Type.String(),
  /** Masked: /24 of IPv4, /48 of IPv6. */
  exit_ip: Type.String(),
  latency_ms: Type.Number(),
  upstream_ms: NullableNumber,
  rtt_ms: NullableNumber,
  code: Type.Union([Type.Integer(), Type.Null()]),
  http_status: Type.Integer(),
  outcome: OutcomeName,
  exception: Type.String(),
  cause: Type.String(),
  node: Type.String(),
  region: Type.String(),
  platform: Type.String(),
  sdk_version: Type.String(),
  request_id: Type.String(),
  weight: Type.Integer(),
});
export type RequestRow = Static<typeof RequestRow>;

export const RequestPage = Type.Object({
  /** Newest first. */
  requests: Type.Array(RequestRow),
  /** For the next, older page; null on the last. */
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});
export type RequestPage = Static<typeof RequestPage>;

export const Window = Type.Object({
  from: Time,
  to: Time,
  /** Seconds; null where the answer has no steps. */
  step: Type.Union([Type.Integer(), Type.Null()]),
  source: Type.Union([Type.Literal('logs'), Type.Literal('metrics')]),
});
export type Window = Static<typeof Window>;

export const Completeness = Type.Object({
  /** `unknown` until the collectors' accounts are balanced against the ledger. */
  status: Type.Union([Type.Literal('complete'), Type.Literal('incomplete'), Type.Literal('unknown')]),
  ratio: NullableNumber,
  /**
   * What was appended to Kafka up to here is stored, in every partition that had a block in the last ten minutes;
   * null where nothing is stored.
   */
  watermark: Type.Union([Time, Type.Null()]),
  silent_collectors: Type.Array(Type.String()),
});
export type Completeness = Static<typeof Completeness>;

/** The envelope every answer stands in. */
export const answerOf = <T extends TSchema>(data: T) =>
  Type.Object({ data, window: Window, completeness: Completeness });
export type Answer<T> = { data: T; window: Window; completeness: Completeness };

export const ErrorAnswer = Type.Object({
  error: Type.Object({ code: Type.String(), message: Type.String() }),
});
export type ErrorAnswer = Static<typeof ErrorAnswer>;
