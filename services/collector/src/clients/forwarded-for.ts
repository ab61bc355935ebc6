/*
 * Reads X-Forwarded-For from the right: each trusted proxy appends the address of its peer, so with n trusted proxies the
 * n-th entry from the right is the client. Entries further left may be forged and are never read. Pure.
 */
import { addressBeforePort } from '@imscope/schemas/ip-address.js';
import { canonicalIp } from './ip-text.js';

/**
 * The farthest address that a trusted proxy appended. A malformed entry or the beginning of the header ends the reading; the
 * result is then the last address that was read, or `nearest`.
 * @param nearest the address of the peer
 * @param header the lines of the header joined by commas, as Node.js joins them
 * @param hops the number of trusted proxies, the peer among them
 */
export function forwardedFor(nearest: string, header: string | undefined, hops: number): string {
  if (header === undefined) return nearest;
  let address = nearest;
  let end = header.length;
  for (let hop = 0; hop < hops && end > 0; hop++) {
    const comma = header.lastIndexOf(',', end - 1);
    const entry = entryAddress(header.slice(comma + 1, end));
    if (entry === undefined) return address;
    address = entry;
    end = comma;
  }
  return address;
}

/** `192.0.2.1`, `192.0.2.1:5678`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:5678`. */
function entryAddress(text: string): string | undefined {
  const entry = text.trim();
  return canonicalIp(addressBeforePort(entry) ?? entry);
}
