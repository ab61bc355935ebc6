/*
 * Answers of the query service. Counts are requests: exact from the metrics, from the logs sums of weights, so that
 * sampling does not show but as an estimate (`window.logged_share`). Durations are milliseconds; averages are exact, percentiles by nearest rank within 1.1 %. A rate is null where nothing
 * could be judged: success rate = success / (success + service_error).
 */
import { type Static, type TSchema, Type } from 'typebox';
import { OUTCOMES } from '../outcome.js';

const Count = Type.Integer({ minimum: 0 });
const Time = Type.String({ description: 'RFC 3339, UTC, milliseconds' });
/** How many entries the bound of a list left out; 0 where the list is complete. */
const LeftOut = Type.Integer({
  minimum: 0,
  description: 'entries that the bound of the list left out; 0: the list is complete',
});
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
  /** Of the interfaces with service errors the first in the order of the list; null where there are none. */
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
  codes_left_out: LeftOut,
});
export type Overview = Static<typeof Overview>;

export const InterfaceRow = Type.Object({
  interface: Type.String(),
  ...Performance,
  /**
   * The most frequent code of the service errors where the row is failing or degraded, elsewhere of all requests that
   * are no success; null where there is none.
   */
  top_code: Type.Union([CodeCount, Type.Null()]),
  /** Where metrics know it alone, the beginning of the ten seconds or the minute of the last request. */
  last_seen: Time,
});
export type InterfaceRow = Static<typeof InterfaceRow>;

export const TimePoint = Type.Object({ time: Time, ...Performance });
export type TimePoint = Static<typeof TimePoint>;

/** Figures out of the metrics, and what they lack. */
const Monitored = {
  ...Performance,
  /** Requests that stand in the logs but in no metric: too late, lost, or not there yet. They are not counted here. */
  missing: Count,
};

export const MonitorCode = Type.Object({
  /** null: no code; `other`: codes beyond the first 20 of a window, counted together. */
  code: Type.Union([Type.Integer(), Type.Null(), Type.Literal('other')]),
  count: Count,
  /** Of all requests of the application or the interface it stands with, 0 to 1. */
  share: Type.Number(),
  name: Type.String(),
  meaning: Type.String(),
  advice: Type.String(),
});
export type MonitorCode = Static<typeof MonitorCode>;

/** The same requests one day before: counts, success rate and delay, without percentiles. */
export const DayBefore = Type.Object({
  requests: Count,
  requests_per_s: Type.Number(),
  outcomes: OutcomeCounts,
  success_rate: NullableNumber,
  latency_ms: Type.Object({ avg: NullableNumber, max: NullableNumber }),
});
export type DayBefore = Static<typeof DayBefore>;
/** null where metrics of that time are no longer kept. */
const MaybeDayBefore = Type.Union([DayBefore, Type.Null()]);

export const MonitorPoint = Type.Object({
  time: Time,
  ...Monitored,
  /** Its `missing` is of the same step a day before. */
  day_before: Type.Union([Type.Object({ ...DayBefore.properties, missing: Count }), Type.Null()]),
});
export type MonitorPoint = Static<typeof MonitorPoint>;

export const MonitorInterface = Type.Object({
  interface: Type.String(),
  ...Performance,
  /** Most frequent codes but 0, 3 at most. */
  codes: Type.Array(MonitorCode),
  codes_left_out: LeftOut,
  day_before: MaybeDayBefore,
});
export type MonitorInterface = Static<typeof MonitorInterface>;

export const MonitorRegion = Type.Object({
  /** Empty where the source does not tell it. */
  region: Type.String(),
  ...Performance,
  day_before: MaybeDayBefore,
});
export type MonitorRegion = Static<typeof MonitorRegion>;

export const Monitor = Type.Object({
  ...Monitored,
  /** The window one day earlier, as far as its metrics are kept; null where nothing of it is. */
  day_before: Type.Union([
    Type.Object({ from: Time, to: Time, ...DayBefore.properties, missing: Count }),
    Type.Null(),
  ]),
  /** All codes but 0 of these interfaces, most frequent first, 50 at most. */
  codes: Type.Array(MonitorCode),
  codes_left_out: LeftOut,
  /** One for each step, also those nothing happened in. */
  steps: Type.Array(MonitorPoint),
  /** Most used first, 1,000 at most. */
  interfaces: Type.Array(MonitorInterface),
  interfaces_left_out: LeftOut,
  /** Most used first, 100 at most. */
  regions: Type.Array(MonitorRegion),
  regions_left_out: LeftOut,
});
export type Monitor = Static<typeof Monitor>;

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
  source: Type.Union(
    [Type.Literal('logs'), Type.Literal('metrics'), Type.Literal('both'), Type.Literal('accounts')],
    {
      description:
        'what requests, outcomes and delay were counted from; both: metrics says which part; accounts: refusals, from the accounts of the collectors',
    },
  ),
  metrics: Type.Union([Type.Object({ from: Time, to: Time }), Type.Null()], {
    description: 'the part of the window that was counted from the metrics, whole minutes; null: none',
  }),
  logged_share: Type.Union([Type.Number(), Type.Null()], {
    description:
      'of all requests of the application in the window, whatever the filters, the share logged one by one; ' +
      'below 1 successes were sampled, and what comes from the logs are estimates; null: not looked at, or none',
  }),
});
export type Window = Static<typeof Window>;

export const SilentCollector = Type.Object({
  /** `unknown` where only its batches came and never an account. */
  collector: Type.String(),
  boot: Type.String(),
  last_heard: Time,
});
export type SilentCollector = Static<typeof SilentCollector>;

export const Completeness = Type.Object({
  status: Type.Union([Type.Literal('complete'), Type.Literal('partial'), Type.Literal('unknown')], {
    description:
      'complete: all that collectors took in during the window, up to 10 s after it, is stored, and all have said so; ' +
      'partial: something is missing or still on its way, the ratio and the watermark say which; unknown: a ' +
      'collector that was heard is silent for two minutes, or no account tells of the window',
  }),
  ratio: Type.Union([Type.Number(), Type.Null()], {
    description:
      'of the records that collectors of all applications took in during the window and have told of, the share that ' +
      'is stored; what was sent in the last 10 s does not lower it; null where no account tells of the window',
  }),
  watermark: Type.Union([Time, Type.Null()], {
    description: 'what Kafka took up to here is stored, in every partition; null where nothing is known',
  }),
  silent_collectors: Type.Array(SilentCollector, {
    description: 'what they took in during the window nobody knows; longest silent first, 100 at most',
  }),
  /** Absent where none is left out. */
  silent_collectors_left_out: Type.Optional(LeftOut),
});
export type Completeness = Static<typeof Completeness>;

/** The envelope every answer stands in. */
export const answerOf = <T extends TSchema>(data: T) =>
  Type.Object({ data, window: Window, completeness: Completeness });
/** The envelope of a list with a bound. `left_out` is always sent; optional, so that clients read older services. */
export const listAnswerOf = <T extends TSchema>(row: T) =>
  Type.Object({
    data: Type.Array(row),
    left_out: Type.Optional(LeftOut),
    window: Window,
    completeness: Completeness,
  });
export type Answer<T> = {
  data: T;
  /** In answers that are a list with a bound. */
  left_out?: number;
  window: Window;
  completeness: Completeness;
};

export const ErrorAnswer = Type.Object({
  error: Type.Object({ code: Type.String(), message: Type.String() }),
});
export type ErrorAnswer = Static<typeof ErrorAnswer>;
