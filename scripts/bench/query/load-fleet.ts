/*
 * Loads logs and metrics of a fleet into a store, hour by hour, up to a moment. A store that was loaded before gets only
 * what happened since then: rows are functions of their hour, and what is older than its term has left the tables.
 */
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { HOUR_MS, TERM_HOURS } from '@imscope/schemas/retention.js';
import {
  APPLICATIONS,
  FLEET_PARAMS,
  INSERT_LOGS_SQL,
  INSERT_METRICS_SQL,
  INSERT_NAMES_SQL,
} from './fleet-sql.js';

const MINUTE_MS = 60_000;
const RECENT_PART_MS = 5 * MINUTE_MS;
const HOURS_OF_WEEK = TERM_HOURS.requestLog;
/** The rhythm of a day, by hour in UTC: the busiest hour has three times the requests of the quietest. */
const RHYTHM = Array.from({ length: 24 }, (_, hour) => 1 + 0.5 * Math.sin(((hour - 4) / 24) * 2 * Math.PI));
const RHYTHM_SUM = RHYTHM.reduce((sum, each) => sum + each, 0);

export type Span = { readonly fromMs: number; readonly toMs: number };

/** @param rows of 7 days @returns the rows that begin in the hour */
export function rowsOfHour(hourMs: number, rows: number): number {
  const share = (RHYTHM[new Date(hourMs).getUTCHours()] ?? 1) / RHYTHM_SUM;
  return Math.round((rows / (HOURS_OF_WEEK / 24)) * share);
}

/** The parts of a span that lie in one hour each, or in one of other such parts of an hour. */
export function hoursOf({ fromMs, toMs }: Span, partMs = HOUR_MS): Span[] {
  const parts: Span[] = [];
  for (let startMs = fromMs; startMs < toMs;) {
    const endMs = Math.min(Math.floor(startMs / partMs) * partMs + partMs, toMs);
    parts.push({ fromMs: startMs, toMs: endMs });
    startMs = endMs;
  }
  return parts;
}

/** By the hour, but of late by five minutes: the newest rows of a store are in small parts, each of a short time. */
function blocksOf({ fromMs, toMs }: Span): Span[] {
  const recentMs = Math.floor(toMs / HOUR_MS) * HOUR_MS - HOUR_MS;
  const older = hoursOf({ fromMs, toMs: Math.min(toMs, recentMs) });
  return [...older, ...hoursOf({ fromMs: Math.max(fromMs, recentMs), toMs }, RECENT_PART_MS)];
}

/** Inserts the logs of a span within one hour. */
export async function loadLogs(client: ClickHouseClient, rows: number, span: Span): Promise<void> {
  const hourMs = Math.floor(span.fromMs / HOUR_MS) * HOUR_MS;
  await client.command({
    query: INSERT_LOGS_SQL,
    query_params: {
      ...FLEET_PARAMS,
      hour_ms: hourMs,
      hour_rows: rowsOfHour(hourMs, rows),
      from_ms: span.fromMs,
      to_ms: span.toMs,
    },
    clickhouse_settings: INSERT_SETTINGS,
  });
}

/** Inserts the metrics of whole minutes, out of their logs. */
export async function loadMetrics(client: ClickHouseClient, { fromMs, toMs }: Span): Promise<void> {
  await client.command({
    query: INSERT_METRICS_SQL,
    query_params: { from_ms: fromMs, to_ms: toMs },
    clickhouse_settings: INSERT_SETTINGS,
  });
}

const INSERT_SETTINGS = {
  max_memory_usage: '1500000000',
  max_bytes_before_external_group_by: '500000000',
  max_execution_time: 600,
} as const;

/**
 * Loads what a store lacks of the last 7 days of logs and 2 days of metrics.
 * @param rows of 7 days
 * @param nowMs up to the last whole minute: the logs of a minute without its metrics would be read in their place
 * @param progress called after each block
 */
export async function loadFleet(
  client: ClickHouseClient,
  rows: number,
  nowMs: number,
  progress: (loaded: { readonly blocks: number; readonly of: number }) => void,
): Promise<void> {
  const toMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  await loadNames(client);
  await deleteIngested(client);
  const { logsToMs, metricsToMs } = await loadedUpTo(client);
  const logs = blocksOf({ fromMs: Math.max(logsToMs, toMs - TERM_HOURS.requestLog * HOUR_MS), toMs });
  const metricsFromMs = Math.ceil((toMs - TERM_HOURS.interfaceMetric * HOUR_MS) / MINUTE_MS) * MINUTE_MS;
  const metrics = blocksOf({ fromMs: Math.max(metricsToMs, metricsFromMs), toMs });
  const of = logs.length + metrics.length;
  for (const [index, span] of logs.entries()) {
    await loadLogs(client, rows, span);
    progress({ blocks: index + 1, of });
  }
  for (const [index, span] of metrics.entries()) {
    await loadMetrics(client, span);
    progress({ blocks: logs.length + index + 1, of });
  }
}

/** Rows that an earlier run inserted beside its questions: their block is no whole hour. They have no metrics. */
async function deleteIngested(client: ClickHouseClient): Promise<void> {
  const condition = `block_id % ${HOUR_MS} != 0`;
  const query = `SELECT count() AS ingested FROM request_log WHERE ${condition}`;
  const result = await client.query({ query, format: 'JSONEachRow' });
  const [found] = await result.json<{ ingested: number }>();
  if ((found?.ingested ?? 0) === 0) return;
  await client.command({
    query: `ALTER TABLE request_log DELETE WHERE ${condition}`,
    clickhouse_settings: { mutations_sync: '1' },
  });
}

async function loadNames(client: ClickHouseClient): Promise<void> {
  const result = await client.query({
    query: 'SELECT count() AS names FROM application_detail',
    format: 'JSONEachRow',
  });
  const [found] = await result.json<{ names: number }>();
  if (Number(found?.names) >= APPLICATIONS) return;
  await client.command({ query: INSERT_NAMES_SQL, query_params: { regions: FLEET_PARAMS.regions } });
}

/** The end of what is loaded; 0 where nothing is. Every minute of the load has logs and metrics. */
async function loadedUpTo(client: ClickHouseClient): Promise<{ logsToMs: number; metricsToMs: number }> {
  const query = `SELECT
  (SELECT if(count() = 0, 0, toUnixTimestamp64Milli(max(time)) + 1) FROM request_log) AS logs,
  (SELECT if(count() = 0, 0, toUnixTimestamp64Milli(max(window_start)) + 60000) FROM interface_metric) AS metrics`;
  const result = await client.query({ query, format: 'JSONEachRow' });
  const [row] = await result.json<{ logs: number; metrics: number }>();
  return { logsToMs: row?.logs ?? 0, metricsToMs: row?.metrics ?? 0 };
}
