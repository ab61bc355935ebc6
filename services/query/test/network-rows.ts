/*
 * Requests out of a few networks, dense and sparse ones, and the address data that name them.
 */
import { maskIpAddress, parseIpAddress } from '@imscope/schemas/ip-address.js';
import type { Place } from './published-reference.js';
import type { StoreUnderTest } from './query-under-test.js';
import { seededRandom, type StoredRow, storedRow } from './stored-row.js';

const NETWORKS = [
  { prefix: '20.0.0.0/20', asn: 100, isp: 'One' },
  { prefix: '30.0.0.0/20', asn: 200, isp: 'Two' },
  { prefix: '31.0.0.0/20', asn: 201, isp: 'Two' },
  { prefix: '2a00:1::/32', asn: 100, isp: 'One' },
] as const;

export async function loadTestNetworks({ client }: StoreUnderTest): Promise<void> {
  const version = 'test';
  const names = new Map(NETWORKS.map(({ asn, isp }) => [asn, isp]));
  const insert = (table: string, values: object[]): Promise<unknown> =>
    client.insert({ table, values, format: 'JSONEachRow' });
  await insert(
    'network_prefix',
    NETWORKS.map(({ prefix, asn }) => ({ version, prefix, asn })),
  );
  await insert(
    'network_name',
    [...names].map(([asn, isp]) => ({ version, asn, isp })),
  );
  await insert('network_version', [{ version, prefixes: NETWORKS.length }]);
  for (const name of ['network_ipv4', 'network_ipv6', 'network_isp']) {
    await client.command({ query: `SYSTEM RELOAD DICTIONARY ${name}` });
  }
}

export function placeOf({ exit_ip: address }: StoredRow): Place {
  const bytes = parseIpAddress(address);
  if (bytes === undefined) throw new Error(`${address} is no address`);
  const prefix = maskIpAddress(bytes);
  const isIpv4 = !prefix.endsWith('/48');
  const key = isIpv4 ? 2 ** 48 + bytes.readUIntBE(12, 3) : bytes.readUIntBE(0, 6);
  const asn =
    /^20\.0\.([0-9]|1[0-5])\./.test(prefix) || prefix.startsWith('2a00:1:')
      ? 100
      : /^30\.0\.([0-9]|1[0-5])\./.test(prefix)
        ? 200
        : /^31\.0\.([0-9]|1[0-5])\./.test(prefix)
          ? 201
          : 0;
  return { key, prefix, asn };
}

export const ispOf = (row: StoredRow): string =>
  ({ 100: 'One', 200: 'Two', 201: 'Two' })[placeOf(row).asn] ?? '';

/** Prefixes of each system from dense to sparse; the fourth number of an address is below `addresses`. */
const SOURCES = [
  ...['20.0.0', '20.0.1', '20.0.2', '20.0.3', '20.0.4'].map((start) => ({ start, isIpv6: false })),
  ...['30.0.0', '30.0.1', '30.0.2'].map((start) => ({ start, isIpv6: false })),
  ...['31.0.0', '40.0.0', '40.0.1', '40.0.2'].map((start) => ({ start, isIpv6: false })),
  ...['2a00:1:1', '2a00:1:2', '2a00:2:1'].map((start) => ({ start, isIpv6: true })),
].map((source, index) => ({
  ...source,
  weight: [40, 12, 5, 2, 1][index % 5] ?? 1,
  addresses: [12, 8, 6, 5, 2][(index * 3) % 5] ?? 2,
}));

const INTERFACES = [
  'openim/sendmsg',
  'openim/sendmsg',
  'openim/sendmsg',
  'openim/batchsendmsg',
  'profile/portrait_set',
];

/** @param count rows, spread at random over [fromMs, toMs) */
export function networkRows(options: {
  readonly seed: number;
  readonly count: number;
  readonly sdkAppId: number;
  readonly fromMs: number;
  readonly toMs: number;
}): StoredRow[] {
  const random = seededRandom(options.seed);
  const drawn = SOURCES.flatMap((source) => Array.from({ length: source.weight }, () => source));
  const pick = <T>(of: readonly T[]): T => {
    const picked = of[Math.floor(random() * of.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  };
  return Array.from({ length: options.count }, (_, index) => {
    const { start, isIpv6, addresses } = pick(drawn);
    const host = 1 + Math.floor(random() * addresses);
    const fails = random() < (start === '20.0.0' ? 0.3 : 0.02);
    return storedRow({
      time: options.fromMs + Math.floor(random() * (options.toMs - options.fromMs)),
      sdk_app_id: options.sdkAppId,
      exit_ip: isIpv6 ? `${start}::${host}` : `::ffff:${start}.${host}`,
      interface: pick(INTERFACES),
      region: pick(['north', 'south']),
      latency_us: 1_000 + Math.floor(random() * 100_000),
      rtt_us: random() < 0.5 ? null : Math.floor(random() * 50_000),
      code: fails ? 91_000 : 0,
      outcome: fails ? 'service_error' : 'success',
      weight: fails ? 1 : 1 + Math.floor(random() * 3),
      block_id: String(options.seed),
      block_row: index,
    });
  });
}
