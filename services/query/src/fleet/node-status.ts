/*
 * Whether a node fell silent. A node is silent where its rate of before lets expect so many requests since its last one
 * that none at all is more than chance (`SILENT_FROM`). If the other nodes of its region are heard, it is the node; if not,
 * there is no traffic; and where the telemetry itself is silent or late, neither can be said. Pure.
 */
import { SILENT_FROM } from '@imscope/schemas/health.js';
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import type { NodeStatus } from '@imscope/schemas/query-api/fleet-nodes.js';
import { MINUTE_MS } from '../figures/time-window.js';

export type NodePresence = {
  readonly node: string;
  readonly region: string;
  readonly lastSeenMs: number;
  /** Requests of about an hour up to the last one, and how long that was. */
  readonly recentRequests: number;
  readonly recentMs: number;
};

/** What is known of the telemetry at the end of the window. */
export type Telemetry = {
  /** Requests up to here would be stored. */
  readonly storedToMs: number;
  /** A collector is silent, or records are late. */
  readonly isSuspect: boolean;
};

/** Peers that were heard this shortly before the end are evidence that there is traffic. */
const PEER_HEARD_MS = 5 * MINUTE_MS;
/** Without accounts: records reach the store within seconds. */
const USUAL_DELAY_MS = 30_000;

export function telemetryOf(completeness: Completeness, toMs: number, nowMs: number): Telemetry {
  const { watermark, silent_collectors: silent } = completeness;
  const endMs = Math.min(toMs, nowMs - USUAL_DELAY_MS);
  const storedToMs = watermark === null ? endMs : Math.min(endMs, Date.parse(watermark));
  return { storedToMs, isSuspect: silent.length > 0 || endMs - storedToMs > PEER_HEARD_MS };
}

/** By node. */
export function statusesOf(
  nodes: readonly NodePresence[],
  telemetry: Telemetry,
): ReadonlyMap<string, NodeStatus> {
  const heardFromMs = telemetry.storedToMs - PEER_HEARD_MS;
  const heardIn = new Map<string, number>();
  let heard = 0;
  for (const { region, lastSeenMs } of nodes) {
    if (lastSeenMs < heardFromMs) continue;
    heardIn.set(region, (heardIn.get(region) ?? 0) + 1);
    heard += 1;
  }
  const nodesIn = Map.groupBy(nodes, ({ region }) => region);
  return new Map(
    nodes.map((node) => {
      if (!isSilent(node, telemetry)) return [node.node, 'heard'];
      if (telemetry.isSuspect) return [node.node, 'telemetry_silent'];
      // Of a region with one node, the other regions are the peers.
      const isAlone = nodesIn.get(node.region)?.length === 1;
      const own = node.lastSeenMs >= heardFromMs ? 1 : 0;
      const peers = (isAlone ? heard : (heardIn.get(node.region) ?? 0)) - own;
      return [node.node, peers > 0 ? 'fell_silent' : 'no_traffic'];
    }),
  );
}

function isSilent(
  { lastSeenMs, recentRequests, recentMs }: NodePresence,
  { storedToMs }: Telemetry,
): boolean {
  const silentMs = storedToMs - lastSeenMs;
  return silentMs > 0 && recentMs > 0 && (recentRequests / recentMs) * silentMs >= SILENT_FROM;
}
