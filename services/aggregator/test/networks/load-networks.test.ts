import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { loadNetworks } from '../../src/networks/load-networks.js';
import { networkSource } from '../../src/networks/network-files.js';
import { openStoreWithTables } from '../reconcile/store-with-tables.js';

const V6_FIRST = 0x2001_0db8n << 96n;
const directory = mkdtempSync(join(tmpdir(), 'imscope-networks-'));
let store: ClickHouseClient;
let end: () => Promise<void>;
before(async () => {
  ({ store, end } = await openStoreWithTables());
});
after(async () => {
  await end();
  rmSync(directory, { recursive: true });
});

function writeFiles(ipv4: string): void {
  writeFileSync(join(directory, 'asn-ipv4-num.csv'), ipv4);
  const last = V6_FIRST + (1n << 96n) - 1n;
  writeFileSync(join(directory, 'asn-ipv6-num.csv'), `${V6_FIRST},${last},64502,"Example, Inc."\n`);
}

/** System and provider by the dictionaries. */
async function look(address: string): Promise<[number, string]> {
  const ip = address.includes(':') ? address : `::ffff:${address}`;
  const found = await store.query({
    query: `
SELECT
  if({ip:IPv6} < toIPv6('::1:0:0:0'),
    dictGet('network_ipv4', 'asn', toUInt64(bitAnd(bitShiftRight(toUInt128({ip:IPv6}), 8), 16777215))),
    dictGet('network_ipv6', 'asn', {ip:IPv6})) AS asn,
  dictGet('network_isp', 'isp', toUInt64(asn)) AS isp`,
    query_params: { ip },
    format: 'JSONEachRow',
  });
  const [row] = await found.json<{ asn: number; isp: string }>();
  return [row?.asn ?? -1, row?.isp ?? ''];
}

async function storedVersions(): Promise<string[]> {
  const found = await store.query({
    query: `SELECT DISTINCT version FROM network_prefix UNION DISTINCT SELECT DISTINCT version FROM network_name`,
    format: 'JSONEachRow',
  });
  return (await found.json<{ version: string }>()).map(({ version }) => version);
}

test('before a load every address is of system 0 without a name', async () => {
  assert.deepEqual(await look('1.0.0.1'), [0, '']);
  assert.deepEqual(await look('2001:db8::1'), [0, '']);
});

test('a load tells the system and provider of IPv4 and IPv6 addresses, and is not repeated', async () => {
  // The first 4,096 addresses of 1.0.0.0/8, of 2.0.0.0/8 and the last ones before 224.0.0.0.
  writeFiles(
    '16777216,16781311,64500,First\n33554432,33558527,64502,"Example, Inc."\n' +
      '3758092288,3758096383,64501,"Last ""quoted"""\n',
  );
  const source = networkSource(directory);
  assert.deepEqual(await loadNetworks(store, source), [
    `loaded networks ${source.version}: 4 prefixes of 3 systems`,
  ]);
  assert.deepEqual(await look('1.0.15.255'), [64_500, 'First']);
  assert.deepEqual(await look('1.0.16.0'), [0, '']);
  assert.deepEqual(await look('223.255.255.7'), [64_501, 'Last "quoted"']);
  assert.deepEqual(await look('2001:db8:ffff::1'), [64_502, 'Example, Inc.']);
  assert.deepEqual(await loadNetworks(store, source), [
    `nothing to do: networks ${source.version} are loaded, 4 prefixes`,
  ]);
});

test('another version takes the place of the one before as a whole', async () => {
  const { version: before } = networkSource(directory);
  writeFiles('16777216,16781311,64510,Other\n');
  const source = networkSource(directory);
  assert.deepEqual(await loadNetworks(store, source), [
    `loaded networks ${source.version}: 1 prefixes of 1 systems, in place of ${before}`,
  ]);
  assert.deepEqual(await look('1.0.0.1'), [64_510, 'Other']);
  assert.deepEqual(await look('2.0.0.1'), [0, '']);
  assert.deepEqual(await storedVersions(), [source.version]);
});

test('a system of fewer than 4,096 addresses of IPv4 is not named, whatever it has of IPv6', async () => {
  writeFiles('16777216,16781055,64502,"Example, Inc."\n33554432,33558527,64500,First\n');
  await loadNetworks(store, networkSource(directory));
  assert.deepEqual(await look('1.0.0.1'), [0, '']);
  assert.deepEqual(await look('2001:db8::1'), [0, '']);
  assert.deepEqual(await look('2.0.0.1'), [64_500, 'First']);
});

test('rows of a load that was interrupted are not read, and the next load replaces them', async () => {
  writeFiles('16777216,16781311,64520,Third\n');
  const source = networkSource(directory);
  await store.insert({
    table: 'network_prefix',
    values: [{ version: source.version, prefix: '9.9.9.0/24', asn: 1 }],
    format: 'JSONEachRow',
  });
  await store.command({ query: 'SYSTEM RELOAD DICTIONARY network_ipv4' });
  assert.deepEqual(await look('9.9.9.9'), [0, '']);
  assert.deepEqual(await look('2.0.0.1'), [64_500, 'First']);
  await loadNetworks(store, source);
  assert.deepEqual(await look('9.9.9.9'), [0, '']);
  assert.deepEqual(await look('1.0.0.1'), [64_520, 'Third']);
});

test('a row of another form is refused with its file and number, and the loaded version stays', async () => {
  writeFiles('16777216,16777471,64530,Fourth\n1.0.1.0,1.0.1.255,1,Text\n');
  await assert.rejects(
    loadNetworks(store, networkSource(directory)),
    /asn-ipv4-num\.csv, row 2: "1\.0\.1\.0,1\.0\.1\.255,1,Text" is not first address,last address,number,name/,
  );
  assert.deepEqual(await look('1.0.0.1'), [64_520, 'Third']);
});
