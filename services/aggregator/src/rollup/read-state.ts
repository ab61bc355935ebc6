/*
 * Reads what a rollup pass decides by: the builds that are stored, and when blocks with rows of ten minutes were stored.
 */
import { ROLLUP_SLICE_MS } from '@imscope/schemas/hour-rollup.js';
import { HOUR_MS, TERM_HOURS } from '@imscope/schemas/retention.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Ask } from '../store/store-ask.js';
import type { BuildKind } from './build-hour.js';
import type { CompleteBuild, LastStored, StoredVersion } from './plan-pass.js';

/** Metrics and logs of a block may be older than it by the term of the metrics. */
const SLICES_MAX = (TERM_HOURS.interfaceMetric * HOUR_MS) / ROLLUP_SLICE_MS;
/** Blocks are read again this far back: clocks of replicas differ, and a row may become visible a little later. */
const OVERLAP_MS = 60_000;

const BUILDS_SQL = `
SELECT kind, toUnixTimestamp64Milli(window_start) AS hour_ms, toUnixTimestamp64Milli(covers_to) AS to_ms, version
FROM hour_rollup_build_kept`;

const VERSIONS_SQL = `
SELECT if(kind IN ('logged', 'coded'), 'logs_counted', 'metrics_built') AS built,
  toUnixTimestamp(toStartOfHour(window_start)) * 1000 AS hour_ms, version
FROM hour_rollup
GROUP BY built, hour_ms, version`;

const STORED_SQL = `
SELECT endsWith(topic, {metrics:String}) AS of_metrics, slice_ms,
  toUnixTimestamp64Milli(max(stored_at)) AS stored_ms
FROM block_ledger
ARRAY JOIN arrayMap(
  slice -> (intDiv(toUnixTimestamp64Milli(assumeNotNull(last_event)), {unit_ms:Int64}) - slice) * {unit_ms:Int64},
  range(toUInt64(least({slices_max:Int64}, 1 + intDiv(toUnixTimestamp64Milli(assumeNotNull(last_event)), {unit_ms:Int64})
    - intDiv(toUnixTimestamp64Milli(assumeNotNull(first_event)), {unit_ms:Int64}))))
) AS slice_ms
WHERE topic IN {topics:Array(String)} AND last_event IS NOT NULL
  AND stored_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
GROUP BY of_metrics, slice_ms`;

export async function readBuilds(ask: Ask): Promise<CompleteBuild[]> {
  const rows = await ask<{ kind: BuildKind; hour_ms: number; to_ms: number; version: number }>(BUILDS_SQL);
  return rows.map(({ kind, hour_ms, to_ms, version }) => ({ kind, hourMs: hour_ms, toMs: to_ms, version }));
}

export async function readVersions(ask: Ask): Promise<StoredVersion[]> {
  const rows = await ask<{ built: BuildKind; hour_ms: number; version: number }>(VERSIONS_SQL);
  return rows.map(({ built, hour_ms, version }) => ({ kind: built, hourMs: hour_ms, version }));
}

/** The store's clock, epoch milliseconds. */
export async function readStoreClock(ask: Ask): Promise<number> {
  const [row] = await ask<{ now_ms: number }>('SELECT toUnixTimestamp64Milli(now64(3)) AS now_ms');
  if (row === undefined) throw new Error('the store did not say its time');
  return row.now_ms;
}

/** Remembers what it has read, so that each pass reads only the blocks stored since. */
export class StoredSlices {
  readonly #lastStored: Readonly<Record<BuildKind, Map<number, number>>> = {
    metrics_built: new Map(),
    logs_counted: new Map(),
  };
  #readToMs = 0;

  /** @param nowMs by the store's clock @param sinceMs what is before is forgotten, so the term of the metrics is held */
  async read(
    ask: Ask,
    topicPrefix: string,
    { nowMs, sinceMs }: { readonly nowMs: number; readonly sinceMs: number },
  ): Promise<LastStored> {
    const topics = [TOPICS.interfaceMetric.name, TOPICS.requestLog.name].map((name) => topicPrefix + name);
    const rows = await ask<{ of_metrics: number | boolean; slice_ms: number; stored_ms: number }>(
      STORED_SQL,
      {
        metrics: TOPICS.interfaceMetric.name,
        topics,
        unit_ms: ROLLUP_SLICE_MS,
        slices_max: SLICES_MAX,
        since_ms: Math.max(this.#readToMs - OVERLAP_MS, sinceMs),
      },
    );
    for (const { of_metrics, slice_ms, stored_ms } of rows) {
      const slices = this.#lastStored[Number(of_metrics) === 1 ? 'metrics_built' : 'logs_counted'];
      slices.set(slice_ms, Math.max(slices.get(slice_ms) ?? 0, stored_ms));
    }
    this.#readToMs = nowMs;
    for (const slices of Object.values(this.#lastStored)) {
      for (const sliceMs of slices.keys()) if (sliceMs < sinceMs) slices.delete(sliceMs);
    }
    return this.#lastStored;
  }
}
