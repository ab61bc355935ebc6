/*
 * Loads the address data into the store, one version as a whole: rows first, then the row that makes the version current,
 * then the dictionaries, then versions before are dropped. Can be interrupted and repeated at any point.
 */
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import type { NetworkSource } from './network-files.js';
import { largeNetworks } from './large-networks.js';
import { IPV4, IPV6, type NetworkPrefix, prefixesOf } from './network-prefixes.js';

/** Rows of one insert: about 4 MB of JSON. */
const INSERT_ROWS = 100_000;

/** @returns lines that say what was done */
export async function loadNetworks(client: ClickHouseClient, source: NetworkSource): Promise<string[]> {
  const { version } = source;
  const current = await currentVersion(client);
  if (current?.version === version) {
    return [`nothing to do: networks ${version} are loaded, ${current.prefixes} prefixes`];
  }
  const { ipv4, ipv6, names } = source.read();
  const large = largeNetworks([...prefixesOf(ipv4, IPV4)], [...prefixesOf(ipv6, IPV6)]);
  await dropVersions(client, 'version = {version:String}', version);
  const systems = await insertRows(client, 'network_name', nameRows(version, names, large.systems));
  const prefixes = await insertRows(client, 'network_prefix', prefixRows(version, large.prefixes));
  await client.insert({
    table: 'network_version',
    columns: ['version', 'prefixes'],
    values: [{ version, prefixes }],
    format: 'JSONEachRow',
  });
  for (const name of ['network_ipv4', 'network_ipv6', 'network_isp']) {
    await client.command({ query: `SYSTEM RELOAD DICTIONARY ${name}` });
  }
  await dropVersions(client, 'version != {version:String}', version);
  const before = current === undefined ? '' : `, in place of ${current.version}`;
  return [`loaded networks ${version}: ${prefixes} prefixes of ${systems} systems${before}`];
}

async function currentVersion(
  client: ClickHouseClient,
): Promise<{ readonly version: string; readonly prefixes: number } | undefined> {
  const found = await client.query({
    query: 'SELECT version, prefixes FROM network_version ORDER BY loaded_at DESC LIMIT 1',
    format: 'JSONEachRow',
  });
  const [row] = await found.json<{ version: string; prefixes: number }>();
  return row;
}

/** Drops whole partitions, each of which is a version. */
async function dropVersions(client: ClickHouseClient, condition: string, version: string): Promise<void> {
  for (const table of ['network_prefix', 'network_name']) {
    const found = await client.query({
      query: `SELECT DISTINCT version FROM ${table} WHERE ${condition}`,
      query_params: { version },
      format: 'JSONEachRow',
    });
    for (const row of await found.json<{ version: string }>()) {
      await client.command({
        query: `ALTER TABLE ${table} DROP PARTITION {dropped:String}`,
        query_params: { dropped: row.version },
      });
    }
  }
}

function* nameRows(
  version: string,
  names: ReadonlyMap<number, string>,
  systems: ReadonlySet<number>,
): Generator<unknown[]> {
  for (const [asn, isp] of names) if (systems.has(asn)) yield [version, asn, isp];
}

function* prefixRows(version: string, prefixes: readonly NetworkPrefix[]): Generator<unknown[]> {
  for (const { prefix, asn } of prefixes) yield [version, prefix, asn];
}

/** @returns how many rows were inserted */
async function insertRows(
  client: ClickHouseClient,
  table: string,
  rows: Iterable<readonly unknown[]>,
): Promise<number> {
  let inserted = 0;
  const insert = async (values: readonly (readonly unknown[])[]): Promise<void> => {
    if (values.length === 0) return;
    await client.insert({ table, values: [...values], format: 'JSONCompactEachRow' });
    inserted += values.length;
  };
  let batch: (readonly unknown[])[] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length < INSERT_ROWS) continue;
    await insert(batch);
    batch = [];
  }
  await insert(batch);
  return inserted;
}
