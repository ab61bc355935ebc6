/* The addresses and networks that may connect to the PROXY listener. */
import { BlockList, isIP } from 'node:net';
import { canonicalIp } from '../clients/ip-text.js';

export type Peers = (remoteAddress: string | undefined) => boolean;

type Network = { readonly address: string; readonly family: 'ipv4' | 'ipv6'; readonly prefix: number };

/** True for `10.0.0.7`, `10.0.0.0/8`, `2001:db8::/32` and the like. */
export function isPeer(text: string): boolean {
  return parsePeer(text) !== undefined;
}

/** @param texts each accepted by `isPeer` */
export function createPeers(texts: readonly string[]): Peers {
  const networks = new BlockList();
  for (const text of texts) {
    const network = parsePeer(text);
    if (network === undefined) throw new Error(`"${text}" is neither an address nor a network`);
    networks.addSubnet(network.address, network.prefix, network.family);
  }
  return (remoteAddress) => {
    // An IPv6 listener reports IPv4 peers as mapped addresses.
    const address = canonicalIp(remoteAddress ?? '');
    return address !== undefined && networks.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
  };
}

function parsePeer(text: string): Network | undefined {
  const [, given = '', bits] = /^([\da-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(given);
  if (version === 0) return undefined;
  const bitsMax = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? bitsMax : Number(bits);
  const family = version === 4 ? 'ipv4' : 'ipv6';
  return prefix <= bitsMax ? { address: given, family, prefix } : undefined;
}
