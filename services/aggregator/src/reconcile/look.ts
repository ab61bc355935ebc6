/*
 * What one look at the books is about: which topics, since when, and what counts as settled. Also how they are
 * asked, and the terms beyond which rows have left the tables by themselves.
 */
import type { QueryParams } from '@clickhouse/client';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { HOUR_MS, TERM_BOUNDS, TERM_HOURS } from '@imscope/schemas/retention.js';
import { TOPICS } from '@imscope/schemas/topics.js';

/** One statement with bound parameters, its rows as objects. */
export type Ask = <T>(sql: string, params?: Readonly<Record<string, unknown>>) => Promise<T[]>;

export type Look = {
  readonly ask: Ask;
  readonly topicPrefix: string;
  /** Blocks appended and accounts written since, epoch milliseconds. */
  readonly fromMs: number;
  /** Rows cost far more than the ledger: looked at since then, and about so many at most. All where left out. */
  readonly rows?: { readonly fromMs: number; readonly max: number };
  readonly nowMs: number;
  /** What the other book does not show for so long is no longer on its way. */
  readonly settleMs: number;
};

/** What of a look decides whether something may still be on its way. */
export type Settling = Pick<Look, 'topicPrefix' | 'nowMs' | 'settleMs'>;

export const MINUTE_MS = 60_000;
export { HOUR_MS };
/** Logs and accounts (7 days) and metrics (2 days) leave the tables; near the edge rows may be gone in part. */
export const LOG_TERM_MS = TERM_HOURS.requestLog * HOUR_MS - 10 * MINUTE_MS;
export const METRIC_TERM_MS = TERM_HOURS.interfaceMetric * HOUR_MS - 10 * MINUTE_MS;
/** What waited at the edge as long as it may is in its term all the same when it is this old. */
export const LOOK_BACK_MS = (TERM_HOURS.requestLog - TERM_BOUNDS.edgeWaitHours.max) * HOUR_MS;
/** How far the clocks of collectors and brokers may be apart. */
export const CLOCK_SKEW_MS = 10 * MINUTE_MS;
/** Ten minutes: ten accounts, and longer than a collector takes to start again or a partition to find a leader. */
export const SETTLE_MS = 10 * MINUTE_MS;
/** Of each kind that is read; beyond, more of the same say nothing new. */
export const ROWS_MAX = 1_000;

/** @param options of every statement */
export function storeAsk(
  client: ClickHouseClient,
  options: Pick<QueryParams, 'clickhouse_settings' | 'abort_signal'> = {},
): Ask {
  return async <T>(sql: string, params = {}) => {
    const result = await client.query({
      ...options,
      query: sql,
      query_params: params,
      format: 'JSONEachRow',
    });
    return result.json<T>();
  };
}

/** Names of the topics whose blocks the ledger holds, prefix and all. */
export function ledgerTopics({ topicPrefix }: Pick<Look, 'topicPrefix'>): string[] {
  return [TOPICS.requestLog, TOPICS.interfaceMetric, TOPICS.edgeAccount].map(
    ({ name }) => topicPrefix + name,
  );
}

/** The parameters every question has. */
export function lookParams(look: Look): Record<string, unknown> {
  return {
    topics: ledgerTopics(look),
    prefix_length: look.topicPrefix.length,
    // Batches logged since `from` may be appended a little before it, by another clock.
    ledger_from: Math.max(0, look.fromMs - CLOCK_SKEW_MS),
    from: Math.max(0, look.fromMs),
    rows_max: ROWS_MAX,
  };
}
