/*
 * Values and figures that several answers share. Counts are requests: exact from the metrics, sums of weights from the
 * logs, so sampled requests count in full. Durations are milliseconds; averages are exact, percentiles are nearest rank
 * within 1.1 %. Success rate = success / (success + service_error), null where both are 0.
 */
import { type Static, Type } from 'typebox';
import { OutcomeName } from '../shown-record.js';

export const Count = Type.Integer({ minimum: 0 });
/** A number of epoch milliseconds where the caller asks for `times=epoch_ms`; our own clients do not. */
export const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC, milliseconds' });
/** 0 where the list is complete. */
export const LeftOut = Type.Integer({
  minimum: 0,
  description: 'entries that the bound of the list left out; 0: the list is complete',
});
export const NullableNumber = Type.Union([Type.Number(), Type.Null()]);
export const OutcomeCounts = Type.Object({
  success: Count,
  caller_error: Count,
  service_error: Count,
  unknown: Count,
});
export type OutcomeCounts = Static<typeof OutcomeCounts>;

export const LatencySummary = Type.Object(
  {
    avg: NullableNumber,
    p50: NullableNumber,
    p90: NullableNumber,
    p95: NullableNumber,
    p99: NullableNumber,
    max: NullableNumber,
  },
  {
    description:
      'milliseconds; average and maximum exact, percentiles nearest rank within 1.1 %; null without requests',
  },
);
export type LatencySummary = Static<typeof LatencySummary>;

/** Figures of a set of requests: of an application, an interface, a step of time. */
export const PERFORMANCE = {
  requests: Type.Integer({
    minimum: 0,
    description: 'exact from the metrics, the sum of weights from the logs',
  }),
  requests_per_s: Type.Number({
    description: 'a second of the span, or of the part of a step in the window',
  }),
  outcomes: OutcomeCounts,
  success_rate: Type.Union([Type.Number(), Type.Null()], {
    description: 'success / (success + service_error), 0 to 1; null where both are 0',
  }),
  latency_ms: LatencySummary,
};
const Performance = Type.Object(PERFORMANCE);
export type Performance = Static<typeof Performance>;

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
