/*
 * The canonical text of an address, so that a client has the same text wherever it was read: IPv4 dotted, also if it was
 * mapped into IPv6; IPv6 as in RFC 5952, without a zone.
 */
import { SocketAddress } from 'node:net';
import { isMappedIpv4, maskIpAddress, parseIpAddress } from '@imscope/schemas/ip-address.js';

/** Undefined if the text is not an address. */
export function canonicalIp(text: string): string | undefined {
  const zone = text.indexOf('%');
  const bytes = parseIpAddress(zone === -1 ? text : text.slice(0, zone));
  return bytes === undefined ? undefined : ipOfBytes(bytes);
}

/** @param bytes 16 in network order, IPv4 mapped into ::ffff:0:0/96; or 4 */
export function ipOfBytes(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (isMappedIpv4(bytes)) return bytes.subarray(12).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2));
  const address = groups.map((group) => group.toString(16)).join(':');
  return new SocketAddress({ address, family: 'ipv6' }).address;
}

/** The network of an address, for logs: /24 of IPv4, /48 of IPv6. */
export function maskIp(address: string): string {
  const bytes = parseIpAddress(address);
  return bytes === undefined ? 'unknown' : maskIpAddress(bytes);
}

/** The key of the addresses that one client may use: the IPv4 address, or the /64 of IPv6. */
export function addressGroup(address: string): string {
  if (!address.includes(':')) return address;
  return parseIpAddress(address)?.toString('hex', 0, 8) ?? address;
}
