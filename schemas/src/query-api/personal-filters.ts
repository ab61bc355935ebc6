/*
 * Filters that name a person's address. They are accepted in the body of a POST only: proxies and browsers keep the
 * addresses of requests in their logs and histories.
 */
import { type Static, Type } from 'typebox';

const VALUES_MAX = 20;
/** An IPv6 address with an embedded IPv4 one, and a prefix length. */
const ADDRESS_LENGTH_MAX = 45;
const PREFIX_LENGTH_MAX = 49;

export const PERSONAL_FILTERS = {
  exit_ip: Type.Optional(
    Type.Array(Type.String({ minLength: 2, maxLength: ADDRESS_LENGTH_MAX }), {
      maxItems: VALUES_MAX,
      description: 'public addresses of callers, such as 203.0.113.7; any of several',
    }),
  ),
  prefix: Type.Optional(
    Type.Array(Type.String({ minLength: 4, maxLength: PREFIX_LENGTH_MAX }), {
      maxItems: VALUES_MAX,
      description: 'network prefixes of callers, such as 203.0.113.0/24 or 2001:db8::/48; any of several',
    }),
  ),
};

const PersonalFilters = Type.Object(PERSONAL_FILTERS);
export type PersonalFilters = Static<typeof PersonalFilters>;

export const PERSONAL_FILTER_NAMES: readonly string[] = Object.keys(PERSONAL_FILTERS);
