/*
 * Compares the store with what clients know: every acknowledged record is stored once, no id twice, and no refused record
 * is stored. Also reconciles, as `imscope ledger check` does; beyond that, where nothing was sampled, successes and delay
 * of metrics = those of logs, and accepted = logs by application. Each difference is named.
 */
import { describeReport } from '@imscope/aggregator/reconcile/describe-report.js';
import { reconcileSettled } from '../pipeline/reconcile-settled.js';
import type { Pipeline } from '../pipeline/pipeline.js';
import type { Fates } from './tracked-sender.js';

export type Findings = {
  readonly acknowledged: number;
  readonly stored: number;
  /** Records acknowledged and not stored. */
  readonly lost: number;
  /** Rows beyond one for each id. */
  readonly doubled: number;
  /** Records stored of requests that were answered 503 only. */
  readonly refusedStored: number;
  /** Differences that `imscope ledger check` names. */
  readonly ledgerDifferences: number;
  readonly metricDifferences: number;
  readonly accountDifferences: number;
  /** Differences, one a line; the first of each kind. */
  readonly details: readonly string[];
};

const DETAILS_MAX = 10;

export async function checkAccounting(
  pipeline: Pick<Pipeline, 'select' | 'store' | 'kafka'>,
  fates: Fates,
): Promise<Findings> {
  const { select } = pipeline;
  const requests = await checkRequests(select, fates);
  const ledger = await reconcileSettled(pipeline);
  const metrics = await select(METRICS_AGAINST_LOGS);
  const accounts = await select(ACCEPTED_AGAINST_LOGS);
  return {
    ...requests,
    ledgerDifferences: ledger.differences.length,
    metricDifferences: metrics.length,
    accountDifferences: accounts.length,
    details: [
      ...requests.details,
      ...(ledger.differences.length > 0 ? [describeReport(ledger)] : []),
      ...named('metrics', metrics),
      ...named('accounts', accounts),
    ],
  };
}

export function isClean(findings: Findings): boolean {
  const { lost, doubled, refusedStored, ledgerDifferences, metricDifferences, accountDifferences } = findings;
  const counts = [lost, doubled, refusedStored, ledgerDifferences, metricDifferences, accountDifferences];
  return counts.every((count) => count === 0);
}

type RequestFindings = Omit<Findings, 'ledgerDifferences' | 'metricDifferences' | 'accountDifferences'>;

async function checkRequests(select: Pipeline['select'], fates: Fates): Promise<RequestFindings> {
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

/** Record ids have the form client.request.record. */
const STORED_REQUESTS = `
  SELECT substring(request_id, 1, length(request_id) - position(reverse(request_id), '.')) AS request,
    count() AS rows, uniqExact(request_id) AS records
  FROM request_log GROUP BY request ORDER BY request`;

const METRICS_AGAINST_LOGS = `
  SELECT * FROM (
    SELECT sdk_app_id, toStartOfMinute(time) AS minute, sumIf(weight, outcome = 'success') AS success_in_logs,
      sum(latency_us * weight) AS latency_in_logs
    FROM request_log GROUP BY sdk_app_id, minute
  ) AS logs
  FULL OUTER JOIN (
    SELECT sdk_app_id, toStartOfMinute(window_start) AS minute, sum(m.success) AS success_in_metrics, sum(m.latency_sum_us) AS latency_in_metrics
    FROM interface_metric AS m GROUP BY sdk_app_id, minute
  ) AS metrics USING (sdk_app_id, minute)
  WHERE success_in_logs != success_in_metrics OR latency_in_logs != latency_in_metrics
  ORDER BY sdk_app_id, minute`;

const ACCEPTED_AGAINST_LOGS = `
  SELECT * FROM (
    SELECT application.sdk_app_id AS sdk_app_id, sum(application.accepted) AS accepted
    FROM (SELECT boot, chunk, argMax(applications, sequence) AS last_applications FROM edge_account GROUP BY boot, chunk)
    ARRAY JOIN last_applications AS application GROUP BY sdk_app_id
  ) AS accounts
  FULL OUTER JOIN (SELECT sdk_app_id, sum(weight) AS in_logs FROM request_log GROUP BY sdk_app_id) AS logs USING (sdk_app_id)
  WHERE accepted != in_logs
  ORDER BY sdk_app_id`;
