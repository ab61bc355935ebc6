/*
 * Looks up the addresses of a host name by DNS alone: no hosts file, no search domains, no forms of addresses that only
 * the C library reads. Every answer is returned, so that the caller checks all of them.
 */
import { Resolver } from 'node:dns/promises';

/** All addresses of a host name; empty where it has none. Rejects where no server answered. */
export type ResolveHost = (hostname: string) => Promise<readonly string[]>;

export type HostResolverOptions = {
  /** Of one try at one server. */
  readonly timeoutMs: number;
  readonly tries: number;
  /** Addresses of DNS servers; by default those of the system. */
  readonly servers?: readonly string[];
};

/** The name does not exist, or has no address of this family. */
const NO_ADDRESS = new Set(['ENODATA', 'ENOTFOUND']);

export function createHostResolver({ timeoutMs, tries, servers }: HostResolverOptions): ResolveHost {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  if (servers !== undefined) resolver.setServers([...servers]);
  return async (hostname) => {
    const found = await Promise.all([
      emptyWithoutAddress(resolver.resolve4(hostname)),
      emptyWithoutAddress(resolver.resolve6(hostname)),
    ]);
    return found.flat();
  };
}

async function emptyWithoutAddress(lookup: Promise<string[]>): Promise<string[]> {
  try {
    return await lookup;
  } catch (error) {
    if (error instanceof Error && 'code' in error && NO_ADDRESS.has(String(error.code))) return [];
    throw error;
  }
}
