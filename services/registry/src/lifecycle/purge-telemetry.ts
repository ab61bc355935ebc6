/*
 * The rows of an application in the telemetry store. Its terms have deleted all of them long before the purge; what is
 * left all the same, such as rows of a collector without the registry, is deleted by mutations that rewrite the parts.
 * A lightweight DELETE would only hide the rows. Done means: no mutation is running, and the tables hold none.
 */
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import type { PurgeStep } from './purge-places.js';

/** Rows of all of them have the column sdk_app_id. */
export const TELEMETRY_TABLES = [
  'request_log',
  'interface_metric',
  'hour_rollup',
  'application_detail',
] as const;
type Table = (typeof TELEMETRY_TABLES)[number];

type Client = Pick<ClickHouseClient, 'command' | 'query'>;

export function purgeTelemetry(client: Client): PurgeStep {
  return async ({ sdkAppId }, found) => {
    const before = await countAll(client, sdkAppId);
    await found(sum(before));
    for (const [table, count] of before) {
      if (count > 0) await deleteRows(client, table, sdkAppId);
    }
    const after = await countAll(client, sdkAppId);
    const left = after.filter(([, count]) => count > 0);
    if (left.length > 0) {
      const where = left.map(([table, count]) => `${count} rows in ${table}`).join(', ');
      return { kind: 'open', reason: `${where} are left: something still writes them` };
    }
    const running = await unfinishedMutations(client);
    if (running > 0) return { kind: 'open', reason: `${running} mutations of the store have not finished` };
    return { kind: 'done', deleted: sum(before) };
  };
}

async function countAll(client: Client, sdkAppId: number): Promise<[Table, number][]> {
  const counts: [Table, number][] = [];
  for (const table of TELEMETRY_TABLES) {
    const query = `SELECT count() AS count FROM ${table} WHERE sdk_app_id = {sdk_app_id:UInt64}`;
    counts.push([table, await readCount(client, query, { sdk_app_id: sdkAppId })]);
  }
  return counts;
}

async function deleteRows(client: Client, table: Table, sdkAppId: number): Promise<void> {
  await client.command({
    query: `ALTER TABLE ${table} DELETE WHERE sdk_app_id = {sdk_app_id:UInt64}`,
    query_params: { sdk_app_id: sdkAppId },
    // Resolves when every replica has rewritten its parts.
    clickhouse_settings: { mutations_sync: '2' },
  });
  // Answers name applications by the dictionary over this table.
  if (table === 'application_detail') {
    await client.command({ query: 'SYSTEM RELOAD DICTIONARY application_name' });
  }
}

async function unfinishedMutations(client: Client): Promise<number> {
  const query = `SELECT count() AS count FROM system.mutations
WHERE database = currentDatabase() AND table IN {tables:Array(String)} AND NOT is_done`;
  return readCount(client, query, { tables: [...TELEMETRY_TABLES] });
}

async function readCount(
  client: Client,
  query: string,
  params: Readonly<Record<string, unknown>>,
): Promise<number> {
  const result = await client.query({ query, query_params: { ...params }, format: 'JSONEachRow' });
  const [row] = await result.json<{ count: number | string }>();
  return Number(row?.count ?? 0);
}

function sum(counts: readonly (readonly [Table, number])[]): number {
  return counts.reduce((total, [, count]) => total + count, 0);
}
