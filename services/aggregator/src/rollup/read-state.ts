/*
 * Reads what a rollup pass decides by: the builds that are stored, and when blocks with rows of an hour were stored.
 */
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Ask } from '../store/store-ask.js';
import type { BuildKind } from './build-hour.js';
import type { CompleteBuild, LastStored, StoredVersion } from './plan-pass.js';

/** Metrics and logs of a block may be so many hours older than it. */
const HOURS_MAX = 48;
/** Blocks are read again this far back: clocks of replicas differ, and a row may become visible a little later. */
const OVERLAP_MS = 60_000;

const BUILDS_SQL = `
SELECT kind, toUnixTimestamp64Milli(window_start) AS hour_ms, version
FROM hour_rollup_build_kept`;

const VERSIONS_SQL = `
SELECT toUnixTimestamp(toStartOfHour(window_start)) * 1000 AS hour_ms, version
FROM hour_rollup
GROUP BY hour_ms, version`;

const STORED_SQL = `
SELECT endsWith(topic, {metrics:String}) AS of_metrics, hour_ms,
  toUnixTimestamp64Milli(max(stored_at)) AS stored_ms
FROM block_ledger
ARRAY JOIN arrayMap(
  hour -> (intDiv(toUnixTimestamp64Milli(assumeNotNull(last_event)), 3600000) - hour) * 3600000,
  range(toUInt64(least({hours_max:Int64}, 1 + intDiv(toUnixTimestamp64Milli(assumeNotNull(last_event)), 3600000)
    - intDiv(toUnixTimestamp64Milli(assumeNotNull(first_event)), 3600000))))
) AS hour_ms
WHERE topic IN {topics:Array(String)} AND last_event IS NOT NULL
  AND stored_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
GROUP BY of_metrics, hour_ms`;

export async function readBuilds(ask: Ask): Promise<CompleteBuild[]> {
  const rows = await ask<{ kind: BuildKind; hour_ms: number; version: number }>(BUILDS_SQL);
  return rows.map(({ kind, hour_ms, version }) => ({ kind, hourMs: hour_ms, version }));
}

export async function readVersions(ask: Ask): Promise<StoredVersion[]> {
  const rows = await ask<{ hour_ms: number; version: number }>(VERSIONS_SQL);
  return rows.map(({ hour_ms, version }) => ({ hourMs: hour_ms, version }));
}

/** The store's clock, epoch milliseconds. */
export async function readStoreClock(ask: Ask): Promise<number> {
  const [row] = await ask<{ now_ms: number }>('SELECT toUnixTimestamp64Milli(now64(3)) AS now_ms');
  if (row === undefined) throw new Error('the store did not say its time');
  return row.now_ms;
}

/** Remembers what it has read, so that each pass reads only the blocks stored since. */
export class StoredHours {
  readonly #lastStored: Readonly<Record<BuildKind, Map<number, number>>> = {
    metrics_built: new Map(),
    logs_counted: new Map(),
  };
  #readToMs = 0;

  /** @param nowMs by the store's clock @param sinceMs hours before are forgotten, so at most 48 are held */
  async read(
    ask: Ask,
    topicPrefix: string,
    { nowMs, sinceMs }: { readonly nowMs: number; readonly sinceMs: number },
  ): Promise<LastStored> {
    const topics = [TOPICS.interfaceMetric.name, TOPICS.requestLog.name].map((name) => topicPrefix + name);
    const rows = await ask<{ of_metrics: number | boolean; hour_ms: number; stored_ms: number }>(STORED_SQL, {
      metrics: TOPICS.interfaceMetric.name,
      topics,
      hours_max: HOURS_MAX,
      since_ms: Math.max(this.#readToMs - OVERLAP_MS, sinceMs),
    });
    for (const { of_metrics, hour_ms, stored_ms } of rows) {
      const hours = this.#lastStored[Number(of_metrics) === 1 ? 'metrics_built' : 'logs_counted'];
      hours.set(hour_ms, Math.max(hours.get(hour_ms) ?? 0, stored_ms));
    }
    this.#readToMs = nowMs;
    for (const hours of Object.values(this.#lastStored)) {
      for (const hourMs of hours.keys()) if (hourMs < sinceMs) hours.delete(hourMs);
    }
    return this.#lastStored;
  }
}
