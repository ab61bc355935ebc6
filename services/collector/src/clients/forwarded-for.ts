/*
 * X-Forwarded-For, counted from the right: each trusted proxy appends the address it was connected from, so with n
 * of them the n-th entry from the right is the client. What stands further left anybody may have written, and is
 * never looked at. Pure.
 */
import { addressBeforePort } from '@imscope/schemas/ip-address.js';
import { canonicalIp } from './ip-text.js';

/**
 * The farthest address that trusted proxies vouch for. An entry that is no address ends the walk, and so does the
 * header's beginning: what was read before it counts, at the least the nearest address itself.
 * @param nearest whoever the connection comes from
 * @param header lines of the header joined by commas, as node does
 * @param hops how many proxies are trusted, the nearest among them
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
