/*
 * Statements that read: with bound parameters, and rows in the shapes that the accounting library declares.
 */
import type { QueryParams } from '@clickhouse/client';
import { type Ask as AskAccounting, STATEMENT_SETTINGS } from '@imscope/accounting/statement.js';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';

/** Runs one statement with bound parameters and returns its rows as objects. */
export type Ask = <T>(sql: string, params?: Readonly<Record<string, unknown>>) => Promise<T[]>;

/** @param options of every statement */
export function storeAsk(
  client: ClickHouseClient,
  options: Pick<QueryParams, 'clickhouse_settings' | 'abort_signal'> = {},
): Ask {
  return async <T>(sql: string, params = {}) => {
    const result = await client.query({
      ...options,
      clickhouse_settings: { ...options.clickhouse_settings, ...STATEMENT_SETTINGS },
      query: sql,
      query_params: params,
      use_multipart_params_auto: true,
      format: 'JSONEachRow',
    });
    return result.json<T>();
  };
}

/** The same for statements of the accounting library. */
export function accountingAsk(ask: Ask): AskAccounting {
  return ({ sql }, params) => ask(sql, params);
}
