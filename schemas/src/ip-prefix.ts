/*
 * Network prefixes as text (`203.0.113.0/24`, `2001:db8::/32`) and as the range of the 16 bytes that are stored.
 */
import { isMappedIpv4, parseIpAddress } from './ip-address.js';

/** Both ends are in the range. */
export type IpRange = { readonly low: Buffer; readonly high: Buffer };

/** IPv4 is stored in ::ffff:0:0/96. */
const MAPPED_BITS = 96;

/** undefined where the text is no prefix; bits after the prefix may be set and do not matter. */
export function parseIpPrefix(text: string): IpRange | undefined {
  const [, address, length] = /^([0-9A-Fa-f:.]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const bytes = address === undefined ? undefined : parseIpAddress(address);
  if (bytes === undefined || address === undefined) return undefined;
  const bits = Number(length) + (address.includes(':') ? 0 : MAPPED_BITS);
  if (bits > 128) return undefined;
  const low = Buffer.from(bytes);
  const high = Buffer.from(bytes);
  for (let at = 0; at < 16; at++) {
    const kept = Math.min(Math.max(bits - at * 8, 0), 8);
    const free = 0xff >> kept;
    low[at] = (bytes[at] ?? 0) & ~free;
    high[at] = (bytes[at] ?? 0) | free;
  }
  return { low, high };
}

/** The 16 bytes as ClickHouse reads an IPv6: eight groups, IPv4 as `::ffff:203.0.113.7`. */
export function storedAddressText(bytes: Buffer): string {
  if (isMappedIpv4(bytes)) return `::ffff:${[...bytes.subarray(12, 16)].join('.')}`;
  return Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(group * 2).toString(16)).join(':');
}
