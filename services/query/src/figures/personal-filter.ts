/*
 * The condition on the addresses of callers, for the filters that come in the body of a request only. Metrics hold no
 * addresses, so such a question is answered from the logs.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { parseIpAddress } from '@imscope/schemas/ip-address.js';
import { parseIpPrefix, storedAddressText } from '@imscope/schemas/ip-prefix.js';
import type { PersonalFilters } from '@imscope/schemas/query-api/personal-filters.js';
import type { QueryParams } from '../store/ask-store.js';

export type PersonalQuery = PersonalFilters;

const EXIT_IP_SQL = 'exit_ip IN {exit_ips:Array(IPv6)}';
const PREFIX_SQL = `arrayExists((low, high) -> exit_ip BETWEEN low AND high,
    {prefix_lows:Array(IPv6)}, {prefix_highs:Array(IPv6)})`;

/**
 * @returns null where no address is filtered by
 * @throws `HttpError` invalid_parameter where a value is no address or prefix; the message does not repeat it
 */
export function personalCondition(query: PersonalQuery): { sql: string; params: QueryParams } | null {
  const { exit_ip: addresses = [], prefix: prefixes = [] } = query;
  const conditions: string[] = [];
  const params: Record<string, readonly string[]> = {};
  if (addresses.length > 0) {
    conditions.push(EXIT_IP_SQL);
    params['exit_ips'] = addresses.map((text) => storedAddressText(addressOf(text)));
  }
  if (prefixes.length > 0) {
    conditions.push(PREFIX_SQL);
    const ranges = prefixes.map(rangeOf);
    params['prefix_lows'] = ranges.map(({ low }) => storedAddressText(low));
    params['prefix_highs'] = ranges.map(({ high }) => storedAddressText(high));
  }
  return conditions.length === 0 ? null : { sql: conditions.join('\n  AND '), params };
}

function addressOf(text: string): Buffer {
  const bytes = parseIpAddress(text);
  if (bytes !== undefined) return bytes;
  throw new HttpError(
    'invalid_parameter',
    'exit_ip holds a text that is no address: give such as 203.0.113.7 or 2001:db8::7, without port and zone',
  );
}

function rangeOf(text: string): { low: Buffer; high: Buffer } {
  const range = parseIpPrefix(text);
  if (range !== undefined) return range;
  throw new HttpError(
    'invalid_parameter',
    'prefix holds a text that is no network prefix: give such as 203.0.113.0/24 or 2001:db8::/48',
  );
}
