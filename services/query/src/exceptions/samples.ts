/*
 * Requests to look at: for each of the most frequent causes of a group the newest request. Its id is read in a second
 * query for these few rows, because the column of ids is larger than all others of a failure together.
 */
import { type ExceptionSample, SAMPLES_MAX } from '@imscope/schemas/query-api/exceptions.js';
import { Type } from 'typebox';
import type { Filter } from '../figures/filter.js';
import { namesProviders } from '../figures/shown-groups.js';
import { timeText } from '../figures/time-window.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import type { Cause, Failures } from './failure-groups.js';
import { FAILURE_SQL } from './failure-sql.js';

const REQUEST_IDS = defineStoreQuery(
  'exceptions_samples',
  Type.Object({
    sdk_app_id: Type.Number(),
    time_ms: Type.Number(),
    cause: Type.String(),
    request_id: Type.String(),
  }),
);

/** Rows of one millisecond and cause are one sample. The times are a subquery, because only of that the store makes an index. */
const sqlOf = (condition: string): string => `
SELECT
  sdk_app_id,
  toUnixTimestamp64Milli(time) AS time_ms,
  cause,
  max(request_id) AS request_id
FROM request_log_kept
WHERE sdk_app_id IN {sample_ids:Array(UInt64)}
  AND time IN (SELECT fromUnixTimestamp64Milli(arrayJoin({sample_times_ms:Array(Int64)}), 'UTC'))
  AND ${FAILURE_SQL} AND ${condition}
GROUP BY sdk_app_id, time, cause`;

type SamplesOf = (failures: Failures) => ExceptionSample[];

export async function readSamples(
  ask: Ask,
  filter: Filter,
  groups: readonly Failures[],
  signal: AbortSignal,
): Promise<SamplesOf> {
  // A sample names one request, and its provider is known with the filter by provider.
  if (namesProviders([], filter)) return () => [];
  const { sql, params } = filter;
  const causes = groups.flatMap(topCauses);
  if (causes.length === 0) return () => [];
  const wanted = {
    sample_ids: [...new Set(causes.map(({ sdkAppId }) => sdkAppId))],
    sample_times_ms: [...new Set(causes.map(({ lastMs }) => lastMs))],
  };
  const rows = await ask(REQUEST_IDS, sqlOf(sql), { ...params, ...wanted }, signal);
  const ids = new Map(
    rows.map(({ sdk_app_id, time_ms, cause, request_id }) => [
      keyOf({ sdkAppId: sdk_app_id, lastMs: time_ms, cause }),
      request_id,
    ]),
  );
  return (failures) =>
    topCauses(failures).map((cause) => ({
      cause: cause.cause,
      count: cause.requests,
      sdk_app_id: cause.sdkAppId,
      time: timeText(cause.lastMs),
      request_id: ids.get(keyOf(cause)) ?? '',
    }));
}

function keyOf({ sdkAppId, lastMs, cause }: Omit<Cause, 'requests'>): string {
  return `${sdkAppId} ${lastMs} ${cause}`;
}

/** A cause that came with several outcomes is one cause. */
function topCauses({ causes }: Failures): Cause[] {
  const byText = new Map<string, Cause>();
  for (const cause of causes) {
    const known = byText.get(cause.cause);
    if (known === undefined) byText.set(cause.cause, cause);
    else {
      const newest = known.lastMs >= cause.lastMs ? known : cause;
      byText.set(cause.cause, { ...newest, requests: known.requests + cause.requests });
    }
  }
  return [...byText.values()]
    .toSorted((a, b) => b.requests - a.requests || b.lastMs - a.lastMs)
    .slice(0, SAMPLES_MAX);
}
