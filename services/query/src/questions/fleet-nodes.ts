/*
 * `fleetNodes`: how well does each gateway node do for all applications together, and which one fell silent? Metrics do
 * not know nodes, so this comes from the logs: one pass over the window, one over the hours before its end, and one for nodes
 * that were not heard in these.
 */
import { compareWorstFirst, healthOf, healthText, successRateInterval } from '@imscope/schemas/health.js';
import { percentilesUs } from '@imscope/schemas/latency-histogram.js';
import {
  type FleetNodes,
  NODE_STATUSES,
  type NodeRow,
  type NodeStatus,
} from '@imscope/schemas/query-api/fleet-nodes.js';
import { type Static, Type } from 'typebox';
import { ratedTogether } from '../completeness/verdict.js';
import { filterOver } from '../figures/filter.js';
import { LATENCY_BUCKET_SQL } from '../figures/performance.js';
import { inMs, performanceOf, SUMS } from '../figures/sums.js';
import { planWindow } from '../figures/plan.js';
import { HOUR_MS, LOG_TERM_MS, MINUTE_MS, timeText, windowSeconds } from '../figures/time-window.js';
import { type NodePresence, statusesOf, telemetryOf } from '../fleet/node-status.js';
import { type AnswerBounds, FLAT_ROWS, MIB } from '../store/answer-bounds.js';
import { defineStoreQuery } from '../store/ask-store.js';
import { requestQuestion } from './question.js';

const NODES_MAX = 1_000;
/** A node that was heard within it and is not heard now is missed. */
const PRESENCE_MS = 6 * HOUR_MS;
const SLOT_MS = 10 * MINUTE_MS;
/** A node's rate is that of the last hour in which it was heard. */
const RATE_SLOTS = 6;

const NodeSums = Type.Object({
  node: Type.String(),
  ...SUMS,
  buckets: Type.Array(Type.Number()),
  applications: Type.Number(),
});
const SUMS_QUERY = defineStoreQuery('fleet_nodes', NodeSums);

const sumsSql = (filter: string): string => `
SELECT
  node,
  sum(weight) AS requests,
  sumIf(weight, outcome = 'success') AS success,
  sumIf(weight, outcome = 'caller_error') AS caller_error,
  sumIf(weight, outcome = 'service_error') AS service_error,
  sumIf(weight, outcome = 'unknown') AS unknown,
  sum(latency_us * weight) AS latency_sum_us,
  max(latency_us) AS latency_max_us,
  quantilesExactWeighted(0.5, 0.9, 0.95, 0.99)(${LATENCY_BUCKET_SQL}, weight) AS buckets,
  uniqExact(sdk_app_id) AS applications
FROM request_log_kept
WHERE ${filter}
GROUP BY node`;

const PRESENCE_QUERY = defineStoreQuery(
  'fleet_node_presence',
  Type.Object({
    node: Type.String(),
    region: Type.String(),
    last_seen_ms: Type.Number(),
    last_slot: Type.Number(),
    recent_requests: Type.Number(),
  }),
);

const presenceSql = (filter: string): string => `
SELECT
  node,
  argMax(region, slot_last_ms) AS region,
  max(slot_last_ms) AS last_seen_ms,
  max(slot) AS last_slot,
  arraySum(one -> if(one.1 > last_slot - ${RATE_SLOTS}, one.2, 0), groupArray((slot, slot_requests))) AS recent_requests
FROM (
  SELECT
    node,
    region,
    intDiv(toUnixTimestamp64Milli(time), ${SLOT_MS}) AS slot,
    sum(weight) AS slot_requests,
    toUnixTimestamp64Milli(max(time)) AS slot_last_ms
  FROM request_log_kept
  WHERE ${filter}
  GROUP BY node, region, slot
)
GROUP BY node`;

/** 10,000 nodes; two rows of 400 bytes each, and one of the answer. */
const BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: 10_000,
  bytes: 8 * MIB,
  bytesPerPoint: 0,
  memoryPerByte: FLAT_ROWS,
};

export const fleetNodes = requestQuestion('fleetNodes', {
  bounds: BOUNDS,
  source: 'logs',
  rated: ({ nodes }) => ratedTogether(nodes),
  plan: planWindow,
  answer: async ({ ask, query, plan, window, nowMs, completeness, signal }) => {
    const presenceFromMs = Math.max(window.toMs - PRESENCE_MS, nowMs - LOG_TERM_MS);
    const lately = filterOver(plan.filter, { fromMs: presenceFromMs, toMs: window.toMs });
    const [sums, heardLately] = await Promise.all([
      ask(SUMS_QUERY, sumsSql(plan.filter.sql), plan.filter.params, signal),
      ask(PRESENCE_QUERY, presenceSql(lately.sql), lately.params, signal),
    ]);
    const known = new Set(heardLately.map(({ node }) => node));
    const others = sums.map(({ node }) => node).filter((node) => !known.has(node));
    const earlier =
      others.length === 0
        ? []
        : await ask(
            PRESENCE_QUERY,
            presenceSql(`${plan.filter.sql} AND node IN {silent_nodes:Array(String)}`),
            { ...plan.filter.params, silent_nodes: others },
            signal,
          );
    const nodes = [...heardLately, ...earlier].map(
      ({ node, region, last_seen_ms, last_slot, recent_requests }) => {
        const fromMs = known.has(node) ? presenceFromMs : window.fromMs;
        const recentFromMs = Math.max(fromMs, (last_slot - RATE_SLOTS + 1) * SLOT_MS);
        const recentMs = last_seen_ms - recentFromMs;
        return { node, region, lastSeenMs: last_seen_ms, recentRequests: recent_requests, recentMs };
      },
    );
    const telemetry = telemetryOf(completeness, window.toMs, nowMs);
    const statuses = statusesOf(nodes, telemetry);
    const sumsOf = new Map(sums.map((row) => [row.node, row]));
    const all = sums.reduce((sum, row) => sum + row.requests, 0);
    const rows = nodes.map((one): NodeRow => {
      const status = statuses.get(one.node) ?? 'heard';
      const silentMs = status === 'heard' ? null : telemetry.storedToMs - one.lastSeenMs;
      return rowOf(one, {
        status,
        silentMs,
        sums: sumsOf.get(one.node),
        all,
        seconds: windowSeconds(window),
      });
    });
    const listed = rows.toSorted(compareNodes).slice(0, query.limit ?? NODES_MAX);
    const data: FleetNodes = {
      totals: { nodes: rows.length, requests: all, by_status: countByStatus(rows) },
      nodes: listed,
      nodes_left_out: rows.length - listed.length,
    };
    return { data };
  },
});

type RowFigures = {
  readonly status: NodeStatus;
  readonly silentMs: number | null;
  /** undefined: no request in the window. */
  readonly sums: Static<typeof NodeSums> | undefined;
  /** Requests of all nodes. */
  readonly all: number;
  readonly seconds: number;
};

function rowOf({ node, region, lastSeenMs }: NodePresence, figures: RowFigures): NodeRow {
  const { status, silentMs, sums, all, seconds } = figures;
  const performance = performanceOf(sums === undefined ? undefined : { ...sums, histogram: [] }, seconds);
  const counts = performance.outcomes;
  const { tier, reason } = healthOf(counts);
  return {
    node,
    region,
    status,
    last_seen: timeText(lastSeenMs),
    silent_s: silentMs === null ? null : Math.round(silentMs / 1_000),
    ...performance,
    latency_ms: { ...performance.latency_ms, ...percentilesOf(sums) },
    success_rate_interval: successRateInterval(counts),
    health: { tier, reason, text: healthText({ reason }, counts) },
    share: all === 0 ? 0 : performance.requests / all,
    applications: sums?.applications ?? 0,
  };
}

/** The store has ranked the buckets; their value is never above the true maximum. */
function percentilesOf(sums: Static<typeof NodeSums> | undefined) {
  const [p50 = null, p90 = null, p95 = null, p99 = null] = (sums?.buckets ?? []).map((bucket) => {
    const [us = null] = percentilesUs([[bucket, 1]], [1], sums?.latency_max_us);
    return inMs(us);
  });
  return { p50, p90, p95, p99 };
}

function compareNodes(a: NodeRow, b: NodeRow): number {
  return (
    NODE_STATUSES.indexOf(a.status) - NODE_STATUSES.indexOf(b.status) ||
    compareWorstFirst(a, b) ||
    (a.node < b.node ? -1 : 1)
  );
}

function countByStatus(rows: readonly NodeRow[]): FleetNodes['totals']['by_status'] {
  const counts = { fell_silent: 0, telemetry_silent: 0, no_traffic: 0, heard: 0 };
  for (const { status } of rows) counts[status] += 1;
  return counts;
}
