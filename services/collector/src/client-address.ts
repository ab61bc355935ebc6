/*
 * Where a request comes from: the one place that says so, for limits by address.
 */
import type { IncomingMessage } from 'node:http';
import { parseIpAddress } from '@imscope/schemas/ip-address.js';

/** The address of the client as text; empty where the connection is gone already. */
export function clientAddress({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? '';
}

/** Addresses that belong to one client as far as anybody can tell: one of IPv4, a /64 of IPv6. */
export function addressGroup(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  return parseIpAddress(address)?.toString('hex', 0, 8) ?? address;
}
