/*
 * Which addresses a callback may reach: global unicast only. IPv4 without every special-purpose range of IANA, IPv6 within
 * 2000::/3 without the special ranges in it, among them all that carry an IPv4 address inside (6to4, Teredo, ISATAP).
 * IPv4-mapped, IPv4-compatible and NAT64 addresses are outside 2000::/3.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Whether a connection to the address is allowed. Unreadable text is not. */
export type IsAddressAllowed = (address: string) => boolean;

/** Ranges of IANA's registries that ipaddr.js calls unicast, or that nobody uses any more. */
const FURTHER_SPECIAL_RANGES = [
  // 6bone, returned in 2006.
  '3ffe::/16',
  // A part of 2000::/3 from which IANA allocates nothing.
  '2d00::/8',
  '2e00::/7',
  '3000::/4',
];

/**
 * Addresses that are global unicast by IANA and are inside all the same: a cloud's own services. Tencent Cloud and others
 * use 9/8, 11/8 and 30/8 for them. The setting CALLBACK_DENIED_RANGES adds more.
 */
const INSIDE_RANGES = ['168.63.129.16/32', '9.0.0.0/8', '11.0.0.0/8', '30.0.0.0/8'];

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** @param deniedRanges further ranges in CIDR form, such as those of one's own public network */
export function createAddressCheck(deniedRanges: readonly string[] = []): IsAddressAllowed {
  const denied = [...FURTHER_SPECIAL_RANGES, ...INSIDE_RANGES, ...deniedRanges].map((range) =>
    ipaddr.parseCIDR(range),
  );
  return (text) => {
    // `isIP` reads the canonical forms only: ipaddr.js also reads octal, hexadecimal and short ones.
    if (isIP(text) === 0 || text.includes('%')) return false;
    const address = ipaddr.parse(text);
    if (address.range() !== 'unicast') return false;
    if (address instanceof ipaddr.IPv6 && (!address.match(GLOBAL_UNICAST) || isIsatap(address))) return false;
    return !denied.some(
      ([network, bits]) => address.kind() === network.kind() && address.match(network, bits),
    );
  };
}

/** RFC 5214: the interface identifier holds an IPv4 address after 0:5efe or 200:5efe. */
function isIsatap({ parts }: ipaddr.IPv6): boolean {
  return parts[5] === 0x5efe && (parts[4] === 0 || parts[4] === 0x200);
}

/** Whether a text is a range in CIDR form. */
export function isAddressRange(text: string): boolean {
  return ipaddr.isValidCIDR(text);
}
