/*
 * The figures of every application over a span. They are computed once for all pages, orders and searches of that span
 * (`store/shared-memory.ts`); what only the rows of a page show is asked for these rows alone.
 */
import { createHash } from 'node:crypto';
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import { type Static, Type } from 'typebox';
import {
  type ApplicationSums,
  askFleetHistograms,
  askFleetSteps,
  askFleetSums,
  askWorstInterfaces,
  BY_APPLICATION,
  type StepSums,
  type WorstInterface,
} from '../figures/fleet-sums.js';
import { type Filter, filterOver } from '../figures/filter.js';
import { performanceQuery } from '../figures/performance.js';
import type { HISTOGRAM } from '../figures/sums.js';
import type { Span } from '../figures/plan.js';
import { MINUTE_MS, type TimeWindow } from '../figures/time-window.js';
import type { ApplicationName, NamesOf } from '../store/application-names.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import type { SharedMemory } from '../store/shared-memory.js';

export type FleetSums = {
  readonly span: Span;
  readonly rows: readonly ApplicationSums[];
  /** As it was assessed before they were read. */
  readonly completeness: Completeness;
};

/** What only rows that are shown need. */
export type ShownFigures = {
  readonly histogram: Static<typeof HISTOGRAM>;
  readonly worst: WorstInterface | undefined;
  readonly steps: readonly StepSums[];
};

export type FleetFiguresInput = {
  readonly ask: Ask;
  readonly memory: SharedMemory;
  readonly filter: Filter;
  readonly spanOf: (window: TimeWindow) => Promise<Span>;
  readonly namesOf: NamesOf;
  readonly completeness: Completeness;
  readonly nowMs: number;
  /** A result of this age is used again. */
  readonly reuseMs: number;
  readonly signal: AbortSignal;
};

/** Buckets at 50, 95 and 99 %. */
export type Percentiles = readonly [p50: number, p95: number, p99: number];

export type FleetFigures = {
  sumsOver(window: TimeWindow): Promise<FleetSums>;
  /** Median, 95th and 99th percentile of every application, as buckets of the latency histogram. */
  percentilesOver(window: TimeWindow): Promise<ReadonlyMap<number, Percentiles>>;
  /** Of every application of these sums. */
  namesOf(sums: FleetSums): Promise<(sdkAppId: number) => ApplicationName>;
  shownOf(
    sdkAppIds: readonly number[],
    page: { readonly sums: FleetSums; readonly stepMs: number },
  ): Promise<ReadonlyMap<number, ShownFigures>>;
};

/** About: an object of ten numbers; three numbers in a map; three texts; and of a row that is shown. */
const SUMS_BYTES = 200;
const PERCENTILES_BYTES = 120;
const NAMES_BYTES = 300;
const SHOWN_BYTES = 3_000;
const STEP_BYTES = 150;
const BUCKET_BYTES = 40;

const PERCENTILES = defineStoreQuery(
  'fleet_percentiles',
  Type.Object({
    sdk_app_id: Type.Number(),
    buckets: Type.Tuple([Type.Number(), Type.Number(), Type.Number()]),
  }),
);
const percentilesSql = (performanceSql: string): string => `
SELECT
  sdk_app_id,
  arrayReduce('quantilesExactWeighted(0.5, 0.95, 0.99)', histogram.1, histogram.2) AS buckets
FROM (${performanceSql}
)
WHERE notEmpty(histogram)`;

export function createFleetFigures(input: FleetFiguresInput): FleetFigures {
  const { ask, memory, filter, spanOf, namesOf, completeness, nowMs, reuseMs, signal } = input;
  const caller = { nowMs, reuseMs, signal };
  const keyOver = (window: TimeWindow): string => keyOf(filterOver(filter, window));
  const sumsOver = (window: TimeWindow, waiting: AbortSignal): Promise<FleetSums> =>
    memory.share(
      `sums ${keyOver(window)}`,
      { ...caller, signal: waiting },
      async (shared) => {
        const span = await spanOf(window);
        return { span, rows: await askFleetSums(ask, span, shared), completeness };
      },
      ({ rows }) => rows.length * SUMS_BYTES,
    );
  return {
    sumsOver: (window) => sumsOver(window, signal),
    percentilesOver: (window) =>
      memory.share(
        `percentiles ${keyOver(window)}`,
        caller,
        async (shared) => {
          const { span } = await sumsOver(window, shared);
          const { sql, params } = performanceQuery(
            BY_APPLICATION,
            span.filter,
            span.window,
            span.metrics,
            'buckets',
          );
          const rows = await ask(PERCENTILES, percentilesSql(sql), params, shared);
          return new Map(rows.map(({ sdk_app_id: id, buckets }) => [id, buckets]));
        },
        (percentiles) => percentiles.size * PERCENTILES_BYTES,
      ),
    namesOf: ({ span, rows }) =>
      memory.share(
        `names ${keyOver(span.window)}`,
        caller,
        (shared) =>
          namesOf(
            rows.map((row) => row.sdk_app_id),
            shared,
          ),
        () => rows.length * NAMES_BYTES,
      ),
    shownOf: (sdkAppIds, page) => {
      const ids = [...new Set(sdkAppIds)].toSorted((a, b) => a - b);
      const { window } = page.sums.span;
      return memory.share(
        `shown ${keyOver(window)} ${page.stepMs} ${digestOf(ids.join(','))}`,
        caller,
        (shared) => askShown(ask, ids, page, shared),
        bytesOfShown,
      );
    },
  };
}

async function askShown(
  ask: Ask,
  sdkAppIds: readonly number[],
  { sums: { span }, stepMs }: { readonly sums: FleetSums; readonly stepMs: number },
  signal: AbortSignal,
): Promise<ReadonlyMap<number, ShownFigures>> {
  // Metrics are of whole minutes at best.
  const stepSpan = stepMs % MINUTE_MS === 0 ? span : { ...span, metrics: null };
  const [histograms, worst, steps] = await Promise.all([
    askFleetHistograms(ask, span, sdkAppIds, signal),
    askWorstInterfaces(ask, span, sdkAppIds, signal),
    askFleetSteps(ask, stepSpan, { sdkAppIds, stepMs }, signal),
  ]);
  const worstOf = new Map(worst.map((row) => [row.sdk_app_id, row]));
  const stepsOf = Map.groupBy(steps, (row) => row.sdk_app_id);
  return new Map(
    sdkAppIds.map((id) => [
      id,
      {
        histogram: histograms.get(id) ?? [],
        worst: worstOf.get(id),
        steps: stepsOf.get(id) ?? [],
      },
    ]),
  );
}

function bytesOfShown(shown: ReadonlyMap<number, ShownFigures>): number {
  let bytes = 0;
  for (const { histogram, steps } of shown.values()) {
    bytes += SHOWN_BYTES + steps.length * STEP_BYTES;
    bytes += histogram.length * BUCKET_BYTES;
  }
  return bytes;
}

/** Equal for equal questions. */
function keyOf({ sql, params }: Filter): string {
  return digestOf(`${sql} ${JSON.stringify(params)}`);
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
