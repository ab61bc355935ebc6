/*
 * Names of applications for the answers of the query service: changed applications become rows of `application_detail` in
 * ClickHouse, and the dictionary over it is loaded again. Of several rows of one application the highest revision counts,
 * so a repeated or late write changes nothing.
 */
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { ApplicationTable } from '../rows/tables.js';

/** A row of `application_detail` (schemas/clickhouse/0010_application_detail.sql and 0014_application_links.sql). */
export type ApplicationDetail = {
  readonly sdk_app_id: number;
  readonly name: string;
  readonly package: string;
  readonly owner: string;
  readonly region: string;
  readonly runbook_url: string;
  /** JSON: LinkTemplate[]; empty: none. */
  readonly links: string;
  readonly revision: number;
  readonly deleted: boolean;
};

export type DetailSink = {
  /** Resolves when the names are in force on the store's server. Rejects where the store does not take them: write again. */
  write(details: readonly ApplicationDetail[]): Promise<void>;
  /** These alone are in force afterwards. */
  replaceAll(pages: AsyncIterable<readonly ApplicationDetail[]>): Promise<void>;
  /** The highest revision that is stored; 0 where there is none. */
  newestRevision(): Promise<number>;
};

/** Rows of an insert; more are written in parts. */
const ROWS_MAX = 10_000;
const TABLE = 'application_detail';
const NewestRow = Type.Array(Type.Object({ newest: Type.Number() }));

export function createDetailSink(client: Pick<ClickHouseClient, 'insert' | 'command' | 'query'>): DetailSink {
  const reload = async (): Promise<void> => {
    await client.command({ query: 'SYSTEM RELOAD DICTIONARY application_name' });
  };
  const insert = async (details: readonly ApplicationDetail[]): Promise<void> => {
    for (let from = 0; from < details.length; from += ROWS_MAX) {
      const values = details.slice(from, from + ROWS_MAX);
      await client.insert({ table: TABLE, values, format: 'JSONEachRow' });
    }
  };
  return {
    async write(details) {
      if (details.length === 0) return;
      await insert(details);
      await reload();
    },
    async replaceAll(pages) {
      // Answers have the names of the dictionary meanwhile.
      await client.command({ query: `TRUNCATE TABLE ${TABLE}` });
      for await (const details of pages) await insert(details);
      await reload();
    },
    async newestRevision() {
      const query = `SELECT max(revision) AS newest FROM ${TABLE}`;
      const result = await client.query({ query, format: 'JSONEachRow' });
      const rows: unknown = await result.json();
      return Value.Check(NewestRow, rows) ? (rows[0]?.newest ?? 0) : 0;
    },
  };
}

/** What is stored of an application's row. @param revision of the change that is published */
export function detailOf(
  row: Pick<
    ApplicationTable,
    'sdk_app_id' | 'name' | 'package' | 'owner' | 'data_centre' | 'runbook_url' | 'links'
  >,
  revision: number,
): ApplicationDetail {
  const { sdk_app_id, name, owner, data_centre: region } = row;
  const addresses = { runbook_url: row.runbook_url ?? '', links: row.links ?? '' };
  return { sdk_app_id, name, package: row.package, owner, region, ...addresses, revision, deleted: false };
}
