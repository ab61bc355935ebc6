/*
 * Systems that are large enough to be named. The name of a network with a few addresses would be the name of a household
 * or an office, and answers filter by provider without a minimum. So systems that announce fewer than 4,096 addresses of
 * IPv4 are left out, with their addresses of IPv6: those say little, because small companies are given as many as large
 * ones.
 */
import type { NetworkPrefix } from './network-prefixes.js';

const IPV4_ADDRESSES_MIN = 4_096;

export type LargeNetworks = {
  readonly prefixes: readonly NetworkPrefix[];
  readonly systems: ReadonlySet<number>;
};

export function largeNetworks(ipv4: readonly NetworkPrefix[], ipv6: readonly NetworkPrefix[]): LargeNetworks {
  const addresses = new Map<number, number>();
  for (const { prefix, asn } of ipv4) {
    const length = Number(prefix.slice(prefix.indexOf('/') + 1));
    addresses.set(asn, (addresses.get(asn) ?? 0) + 2 ** (32 - length));
  }
  const systems = new Set(
    [...addresses].flatMap(([asn, count]) => (count >= IPV4_ADDRESSES_MIN ? [asn] : [])),
  );
  const isNamed = ({ asn }: NetworkPrefix): boolean => systems.has(asn);
  return { prefixes: [...ipv4, ...ipv6].filter(isNamed), systems };
}
