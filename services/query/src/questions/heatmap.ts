/*
 * `heatmap` and `fleetHeatmap`: how were delays spread over time, and where was the delay spent? The spread comes from the
 * metrics where they are complete; only logs hold the parts of a delay.
 */
import type { DelayPart } from '@imscope/schemas/query-api/heatmap.js';
import type { QueryOf } from '@imscope/schemas/query-api/questions.js';
import { type Static, Type } from 'typebox';
import { boundsOf, countsIn, delayBuckets } from '../figures/delay-buckets.js';
import type { Filter } from '../figures/filter.js';
import { type Grouping, performanceQuery } from '../figures/performance.js';
import { PERFORMANCE_ROW } from '../figures/sums.js';
import { planSteps, type RequestPlan, type Span } from '../figures/plan.js';
import { stepsOf, timeText } from '../figures/time-window.js';
import { type AnswerBounds, HISTOGRAM_ROWS, KIB, MIB } from '../store/answer-bounds.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { requestQuestion } from './question.js';

const BOUNDS: AnswerBounds = {
  pointsMax: 300,
  // The last step may be read from both sources.
  rowsMax: 400,
  bytes: MIB,
  bytesPerPoint: 16 * KIB,
  memoryPerByte: HISTOGRAM_ROWS,
};

const STEPS = defineStoreQuery('heatmap', Type.Object({ step_index: Type.Number(), ...PERFORMANCE_ROW }));

const stepSql = (column: string): string =>
  `intDiv(toUnixTimestamp64Milli(${column}), {step_ms:Int64}) AS step_index`;

const PartSums = Type.Object({
  step_index: Type.Number(),
  requests: Type.Number(),
  upstream_requests: Type.Number(),
  upstream_sum_us: Type.Number(),
  upstream_within_us: Type.Number(),
  upstream_latency_us: Type.Number(),
  network_requests: Type.Number(),
  network_sum_us: Type.Number(),
  network_within_us: Type.Number(),
  network_latency_us: Type.Number(),
});
type PartSums = Static<typeof PartSums>;
const PARTS = defineStoreQuery('heatmap_parts', PartSums);

/** Null is left out by the condition: `least` of null and a number is the number. */
const partSql = (
  name: string,
  column: string,
): string => `sumIf(weight, isNotNull(${column})) AS ${name}_requests,
  sumIf(assumeNotNull(${column}) * weight, isNotNull(${column})) AS ${name}_sum_us,
  sumIf(least(assumeNotNull(${column}), latency_us) * weight, isNotNull(${column})) AS ${name}_within_us,
  sumIf(latency_us * weight, isNotNull(${column})) AS ${name}_latency_us`;

const partsSql = ({ sql }: Filter): string => `
SELECT
  ${stepSql('time')},
  sum(weight) AS requests,
  ${partSql('upstream', 'upstream_us')},
  ${partSql('network', 'rtt_us')}
FROM request_log_kept
WHERE ${sql}
GROUP BY step_index`;

type Input = {
  readonly query: QueryOf<'heatmap'>;
  readonly ask: Ask;
  readonly plan: RequestPlan & { readonly stepMs: number };
  readonly spanOf: (window: RequestPlan['window']) => Promise<Span>;
  readonly signal: AbortSignal;
};

const DEFINITION = {
  bounds: BOUNDS,
  source: 'logs_or_metrics',
  plan: planSteps,
  answer: async ({ ask, plan: { window, stepMs }, spanOf, signal }: Input) => {
    const span = await spanOf(window);
    const [histograms, parts] = await Promise.all([
      askHistograms(ask, span, stepMs, signal),
      ask(PARTS, partsSql(span.filter), { ...span.filter.params, step_ms: stepMs }, signal),
    ]);
    const partsAt = new Map(parts.map((row) => [row.step_index * stepMs, row]));
    const buckets = delayBuckets([...histograms.values()].map(({ histogram }) => histogram));
    const steps = stepsOf(window, stepMs).map(({ startMs }) => {
      const row = histograms.get(startMs);
      const own = partsAt.get(startMs);
      return {
        time: timeText(startMs),
        requests: row?.requests ?? 0,
        counts: countsIn(row?.histogram ?? [], buckets),
        share_upstream: upstreamOf(own === undefined ? [] : [own]).share_of_delay,
        share_network: networkOf(own === undefined ? [] : [own]).share_of_delay,
      };
    });
    return {
      data: {
        buckets: boundsOf(buckets),
        steps,
        delay: { upstream: upstreamOf(parts), network: networkOf(parts) },
      },
    };
  },
} as const;

export const heatmap = requestQuestion('heatmap', DEFINITION);
export const fleetHeatmap = requestQuestion('fleetHeatmap', DEFINITION);

/** Requests and histogram by the beginning of the step. */
async function askHistograms(
  ask: Ask,
  { filter, window, metrics }: Span,
  stepMs: number,
  signal: AbortSignal,
) {
  const overMetrics = [stepSql('m.window_start')];
  const grouping: Grouping = {
    key: 'step_index',
    logs: [stepSql('time')],
    metrics: overMetrics,
    rollup: { needs: 'application', stepMs, columns: overMetrics },
    outer: ['step_index'],
  };
  const { sql, params } = performanceQuery(grouping, filter, window, metrics);
  const rows = await ask(STEPS, sql, { ...params, step_ms: stepMs }, signal);
  return new Map(rows.map((row) => [row.step_index * stepMs, row]));
}

const upstreamOf = (rows: readonly PartSums[]): DelayPart =>
  partOf(
    rows.map((row) => ({
      all: row.requests,
      requests: row.upstream_requests,
      us: row.upstream_sum_us,
      withinUs: row.upstream_within_us,
      latencyUs: row.upstream_latency_us,
    })),
  );

const networkOf = (rows: readonly PartSums[]): DelayPart =>
  partOf(
    rows.map((row) => ({
      all: row.requests,
      requests: row.network_requests,
      us: row.network_sum_us,
      withinUs: row.network_within_us,
      latencyUs: row.network_latency_us,
    })),
  );

type Part = {
  readonly all: number;
  readonly requests: number;
  readonly us: number;
  readonly withinUs: number;
  readonly latencyUs: number;
};

function partOf(parts: readonly Part[]): DelayPart {
  const sum = (of: (part: Part) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const requests = sum((part) => part.requests);
  return {
    requests,
    share_known: ratio(
      requests,
      sum((part) => part.all),
    ),
    avg_ms: ratio(sum((part) => part.us) / 1_000, requests),
    share_of_delay: ratio(
      sum((part) => part.withinUs),
      sum((part) => part.latencyUs),
    ),
  };
}

function ratio(part: number, of: number): number | null {
  return of === 0 ? null : part / of;
}
