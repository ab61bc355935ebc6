/*
 * Requests by interface, code and outcome, without successes of code 0. They come from the logs in any case, because
 * metrics do not count codes by outcome; failures are never sampled. Hours that are built in `hour_rollup` hold what the
 * logs held of them.
 */
import type { QueryParams } from '../store/ask-store.js';
import type { Filter } from './filter.js';
import { uncovered } from './metric-span.js';
import type { Span } from './plan.js';

const CODED_SQL = "(outcome != 'success' OR code != 0 OR code IS NULL)";

/** A SELECT of `interface`, `code`, `outcome` and `weight`, several rows for one of them. Conditions may follow outside. */
export function codeSumsQuery({ filter, window, metrics }: Span): { sql: string; params: QueryParams } {
  const hours = metrics === null || !hasColumns(filter) ? [] : (metrics.rollup ?? []);
  if (hours.length === 0) return { sql: logsSql(filter, ''), params: filter.params };
  const params: Record<string, QueryParams[string]> = {
    ...filter.params,
    coded_versions: hours.map(({ logsVersion }) => logsVersion),
  };
  const parts = uncovered(window, hours).map(({ fromMs, toMs }, index) => {
    params[`coded_${index}_from_ms`] = fromMs;
    params[`coded_${index}_to_ms`] = toMs;
    return `(time >= fromUnixTimestamp64Milli({coded_${index}_from_ms:Int64}, 'UTC')
    AND time < fromUnixTimestamp64Milli({coded_${index}_to_ms:Int64}, 'UTC'))`;
  });
  const rollupSql = `SELECT interface, code, outcome, log_weight AS weight
  FROM hour_rollup_kept
  WHERE ${filter.metricSql} AND kind = 'coded' AND version IN {coded_versions:Array(UInt64)}`;
  if (parts.length === 0) return { sql: rollupSql, params };
  return {
    sql: `${logsSql(filter, `\n  AND (${parts.join('\n    OR ')})`)}\n  UNION ALL\n  ${rollupSql}`,
    params,
  };
}

function logsSql(filter: Filter, span: string): string {
  return `SELECT interface, code, outcome, sum(weight) AS weight
  FROM request_log_kept
  WHERE ${CODED_SQL} AND ${filter.sql}${span}
  GROUP BY interface, code, outcome`;
}

/** Sums by code have the interface and no region. */
function hasColumns({ metricSql }: Filter): boolean {
  return !/\bregion\b/.test(metricSql);
}
