/*
 * Holds the store against what clients know and the three books against each other: every acknowledged record
 * stored once, no id twice, nothing stored of what was refused; rows by block = ledger; metrics = logs by application
 * and minute; accounts = ledger by boot and partition, and = logs by application. Each difference is named.
 */
import type { Fates } from './tracked-sender.js';

export type Select = <T>(sql: string) => Promise<T[]>;

export type Findings = {
  readonly acknowledged: number;
  readonly stored: number;
  /** Records acknowledged and not stored. */
  readonly lost: number;
  /** Rows beyond one for each id. */
  readonly doubled: number;
  /** Records stored of requests that were answered 503 only. */
  readonly refusedStored: number;
  readonly blockDifferences: number;
  readonly metricDifferences: number;
  readonly accountDifferences: number;
  /** What differs, each in a line; the first of each kind. */
  readonly details: readonly string[];
};

const DETAILS_MAX = 10;

export async function checkBooks(select: Select, fates: Fates): Promise<Findings> {
  const requests = await checkRequests(select, fates);
  const blocks = await select(BLOCKS_AGAINST_LEDGER);
  const metrics = await select(METRICS_AGAINST_LOGS);
  const accounts = [
    ...(await select(ACCOUNTS_AGAINST_LEDGER)),
    ...(await select(KEYED_AGAINST_LEDGER)),
    ...(await select(ACCEPTED_AGAINST_LOGS)),
    ...(await select(WITHOUT_FINAL_ACCOUNT)),
  ];
  return {
    ...requests,
    blockDifferences: blocks.length,
    metricDifferences: metrics.length,
    accountDifferences: accounts.length,
    details: [
      ...requests.details,
      ...named('blocks', blocks),
      ...named('metrics', metrics),
      ...named('accounts', accounts),
    ],
  };
}

export function isClean(findings: Findings): boolean {
  const { lost, doubled, refusedStored, blockDifferences, metricDifferences, accountDifferences } = findings;
  const counts = [lost, doubled, refusedStored, blockDifferences, metricDifferences, accountDifferences];
  return counts.every((count) => count === 0);
}

type RequestFindings = Omit<Findings, 'blockDifferences' | 'metricDifferences' | 'accountDifferences'>;

async function checkRequests(select: Select, fates: Fates): Promise<RequestFindings> {
  const rows = await select<{ request: string; rows: number; records: number }>(STORED_REQUESTS);
  const stored = new Map(rows.map((row) => [row.request, row]));
  const lost = Array.from(fates.acknowledged, ([request, sent]) => ({
    request,
    missing: sent - (stored.get(request)?.records ?? 0),
  })).filter(({ missing }) => missing > 0);
  const doubled = rows.filter((row) => row.rows > row.records);
  const refused = rows.filter(({ request }) => fates.refused.has(request));
  return {
    acknowledged: sum(fates.acknowledged.values()),
    stored: sum(rows.map((row) => row.rows)),
    lost: sum(lost.map(({ missing }) => missing)),
    doubled: sum(doubled.map((row) => row.rows - row.records)),
    refusedStored: sum(refused.map(({ records }) => records)),
    details: [...named('lost', lost), ...named('doubled', doubled), ...named('refused, stored', refused)],
  };
}

function named(kind: string, differences: readonly unknown[]): string[] {
  return differences.slice(0, DETAILS_MAX).map((difference) => `${kind}: ${JSON.stringify(difference)}`);
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** An id is client.request.record. */
const STORED_REQUESTS = `
  SELECT substring(request_id, 1, length(request_id) - position(reverse(request_id), '.')) AS request,
    count() AS rows, uniqExact(request_id) AS records
  FROM request_log GROUP BY request ORDER BY request`;

/** A block has an id for each schema in it; `first_offset` is 0 of rows whose block is in no ledger row. */
const BLOCKS_AGAINST_LEDGER = `
  SELECT epoch, partition, first_offset, any(booked_rows) AS booked, sum(stored_rows) AS stored, sum(stored_places) AS places
  FROM (
    SELECT epoch, partition, first_offset, rows AS booked_rows, arrayJoin(block_ids) AS block_id
    FROM block_ledger FINAL WHERE endsWith(topic, 'im.request-log')
  ) AS ledger
  FULL OUTER JOIN (
    SELECT block_id, count() AS stored_rows, uniqExact(block_row) AS stored_places FROM request_log GROUP BY block_id
  ) AS logs USING (block_id)
  GROUP BY epoch, partition, first_offset HAVING booked != stored OR stored != places
  ORDER BY epoch, partition, first_offset`;

const METRICS_AGAINST_LOGS = `
  SELECT * FROM (
    SELECT sdk_app_id, toStartOfMinute(time) AS minute, sum(weight) AS in_logs, sumIf(weight, outcome = 'success') AS success_in_logs,
      sum(latency_us * weight) AS latency_in_logs
    FROM request_log GROUP BY sdk_app_id, minute
  ) AS logs
  FULL OUTER JOIN (
    SELECT sdk_app_id, toStartOfMinute(window_start) AS minute, sum(m.success + m.caller_error + m.service_error + m.unknown) AS in_metrics,
      sum(m.success) AS success_in_metrics, sum(m.latency_sum_us) AS latency_in_metrics
    FROM interface_metric AS m GROUP BY sdk_app_id, minute
  ) AS metrics USING (sdk_app_id, minute)
  WHERE in_logs != in_metrics OR success_in_logs != success_in_metrics OR latency_in_logs != latency_in_metrics
  ORDER BY sdk_app_id, minute`;

/** Batches under a client's key have a boot of their own: 25 characters that begin with k. */
const KEYED = "(length(boot) = 25 AND startsWith(boot, 'k'))";

const LAST_ACCOUNTS = `
  SELECT boot, argMax(partitions, sequence) AS last_partitions FROM edge_account WHERE chunk = 0 GROUP BY boot`;

const LEDGER_BATCHES = `
  SELECT substring(topic, position(topic, 'im.')) AS topic, partition, batch.boot AS boot, batch.records AS records,
    batch.last_sequence AS last_sequence
  FROM block_ledger FINAL ARRAY JOIN batches AS batch
  WHERE endsWith(block_ledger.topic, 'im.request-log') OR endsWith(block_ledger.topic, 'im.interface-metric')`;

const ACCOUNTS_AGAINST_LEDGER = `
  SELECT * FROM (
    SELECT boot, part.topic AS topic, part.partition AS partition, part.records AS sent, part.last_sequence AS last_sent
    FROM (${LAST_ACCOUNTS}) ARRAY JOIN last_partitions AS part WHERE part.topic != 'im.edge-account' AND part.last_sequence >= 0
  ) AS accounts
  FULL OUTER JOIN (
    SELECT boot, topic, partition, sum(records) AS in_ledger, max(last_sequence) AS last_in_ledger
    FROM (${LEDGER_BATCHES}) WHERE NOT ${KEYED} GROUP BY boot, topic, partition
  ) AS ledger USING (boot, topic, partition)
  WHERE sent != in_ledger OR last_sent != last_in_ledger
  ORDER BY boot, topic, partition`;

/** The same key may be sent to several boots, so these add up over all of them. */
const KEYED_AGAINST_LEDGER = `
  SELECT * FROM (
    SELECT part.topic AS topic, part.partition AS partition, sum(part.records) AS keyed_sent
    FROM (${LAST_ACCOUNTS}) ARRAY JOIN last_partitions AS part WHERE part.last_sequence < 0 GROUP BY topic, partition
  ) AS accounts
  FULL OUTER JOIN (
    SELECT topic, partition, sum(records) AS keyed_in_ledger
    FROM (${LEDGER_BATCHES}) WHERE ${KEYED} GROUP BY topic, partition
  ) AS ledger USING (topic, partition)
  WHERE keyed_sent != keyed_in_ledger
  ORDER BY topic, partition`;

const ACCEPTED_AGAINST_LOGS = `
  SELECT * FROM (
    SELECT application.sdk_app_id AS sdk_app_id, sum(application.accepted) AS accepted
    FROM (SELECT boot, chunk, argMax(applications, sequence) AS last_applications FROM edge_account GROUP BY boot, chunk)
    ARRAY JOIN last_applications AS application GROUP BY sdk_app_id
  ) AS accounts
  FULL OUTER JOIN (SELECT sdk_app_id, sum(weight) AS in_logs FROM request_log GROUP BY sdk_app_id) AS logs USING (sdk_app_id)
  WHERE accepted != in_logs
  ORDER BY sdk_app_id`;

const WITHOUT_FINAL_ACCOUNT = `
  SELECT boot, max(final) AS has_final_account FROM (
    SELECT boot, final FROM edge_account
    UNION ALL SELECT boot, false AS final FROM (${LEDGER_BATCHES}) WHERE NOT ${KEYED}
  ) GROUP BY boot HAVING has_final_account = 0 ORDER BY boot`;
