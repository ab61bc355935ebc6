/*
 * Address data for tests: the providers of the exit addresses of seeded rows.
 */
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import type { StoredRow } from './stored-row.js';

const PROVIDERS = [
  { asn: 64_500, prefix: '203.0.113.0/24', isp: 'Example Mobile', begins: '::ffff:203.0.113.' },
  { asn: 64_501, prefix: '2001:db8::/32', isp: 'Example Fibre', begins: '2001:db8:' },
];

/** Before the first question about providers: the dictionaries are loaded then. */
export async function insertNetworks(client: ClickHouseClient): Promise<void> {
  const version = 'test';
  const insert = (table: string, values: object[]) => client.insert({ table, values, format: 'JSONEachRow' });
  await insert(
    'network_prefix',
    PROVIDERS.map(({ asn, prefix }) => ({ version, asn, prefix })),
  );
  await insert(
    'network_name',
    PROVIDERS.map(({ asn, isp }) => ({ version, asn, isp })),
  );
  await insert('network_version', [{ version, prefixes: PROVIDERS.length }]);
}

/** Empty where the address data do not name it. */
export function providerOf({ exit_ip: address }: Pick<StoredRow, 'exit_ip'>): string {
  return PROVIDERS.find(({ begins }) => address.startsWith(begins))?.isp ?? '';
}
