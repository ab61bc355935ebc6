/*
 * One spelling of each address, so that the same client is the same text wherever it was read: IPv4 dotted, also
 * where it came mapped into IPv6; IPv6 as RFC 5952 writes it, without a zone.
 */
import { SocketAddress } from 'node:net';
import { isMappedIpv4, maskIpAddress, parseIpAddress } from '@imscope/schemas/ip-address.js';

/** Undefined where the text is no address. */
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

/** What a log may say of an address: /24 of IPv4, /48 of IPv6. */
export function maskIp(address: string): string {
  const bytes = parseIpAddress(address);
  return bytes === undefined ? 'unknown' : maskIpAddress(bytes);
}

/** Addresses that belong to one client as far as anybody can tell: one of IPv4, a /64 of IPv6. */
export function addressGroup(address: string): string {
  if (!address.includes(':')) return address;
  return parseIpAddress(address)?.toString('hex', 0, 8) ?? address;
}
