/*
 * Names of applications for the answers of the query service: changed applications become rows of `application_detail` in
 * ClickHouse, and the dictionary over it is loaded again. Of several rows of one application the highest revision counts,
 * so a repeated or late write changes nothing.
 */
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import type { ApplicationTable } from '../rows/tables.js';

/** A row of `application_detail` (schemas/clickhouse/0010_application_detail.sql). */
export type ApplicationDetail = {
  readonly sdk_app_id: number;
  readonly name: string;
  readonly package: string;
  readonly owner: string;
  readonly region: string;
  readonly revision: number;
  readonly deleted: boolean;
};

export type DetailSink = {
  /** Resolves when the names are in force on the store's server. Rejects where the store does not take them: write again. */
  write(details: readonly ApplicationDetail[]): Promise<void>;
  /** Deletes all rows of these applications from the store's disk. May be repeated. */
  erase(sdkAppIds: readonly number[]): Promise<void>;
};

/** Rows of an insert; more are written in parts. */
const ROWS_MAX = 10_000;

export function createDetailSink(client: Pick<ClickHouseClient, 'insert' | 'command'>): DetailSink {
  const reload = () => client.command({ query: 'SYSTEM RELOAD DICTIONARY application_name' });
  return {
    async write(details) {
      if (details.length === 0) return;
      for (let from = 0; from < details.length; from += ROWS_MAX) {
        await client.insert({
          table: 'application_detail',
          values: details.slice(from, from + ROWS_MAX),
          format: 'JSONEachRow',
        });
      }
      await reload();
    },
    async erase(sdkAppIds) {
      if (sdkAppIds.length === 0) return;
      await client.command({
        query: 'ALTER TABLE application_detail DELETE WHERE sdk_app_id IN {sdk_app_ids:Array(UInt64)}',
        query_params: { sdk_app_ids: [...sdkAppIds] },
        // Waits until every replica has rewritten its parts.
        clickhouse_settings: { mutations_sync: '2' },
      });
      await reload();
    },
  };
}

/** What is stored of an application's row. */
export function detailOf(
  row: Pick<ApplicationTable, 'sdk_app_id' | 'name' | 'package' | 'owner' | 'data_centre' | 'revision'>,
): ApplicationDetail {
  const { sdk_app_id, name, owner, data_centre: region, revision } = row;
  return { sdk_app_id, name, package: row.package, owner, region, revision, deleted: false };
}
