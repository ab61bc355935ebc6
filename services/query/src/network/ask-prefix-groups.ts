/*
 * The store query of `breakdown` by prefix: sums over published blocks, for each prefix, or for each prefix and
 * interface or application. Each row is one that `network` answers, of a filter by this interface or of this application.
 */
import { type Static, Type } from 'typebox';
import { asnOfKeySql, ispOfAsnSql } from '../figures/network-sql.js';
import { GROUP_ORDERS, type GroupOrder } from '../figures/ranked-groups.js';
import { defineStoreQuery } from '../store/ask-store.js';
import { type PrefixAsk, type PrefixPart, prefixSumsSql } from './ask-prefixes.js';
import { NETWORK_SUMS } from './network-sums.js';

const PrefixGroup = Type.Object({
  prefix_key: Type.Number(),
  /** The interface or the application; empty without one. */
  part: Type.Union([Type.String(), Type.Number()]),
  isp: Type.String(),
  ...NETWORK_SUMS,
  total: Type.Number(),
});
export type PrefixGroup = Static<typeof PrefixGroup>;
const GROUPS = defineStoreQuery('prefix_groups', PrefixGroup);

export type PrefixGroupAsk = PrefixAsk & {
  readonly part: PrefixPart | undefined;
  readonly order: GroupOrder;
  readonly limit: number;
};

export function askPrefixGroups(asked: PrefixGroupAsk): Promise<readonly PrefixGroup[]> {
  const { ask, filter, interfaces, part, order, limit, signal } = asked;
  const sql = `
SELECT *, ${ispOfAsnSql(asnOfKeySql('prefix_key'))} AS isp, count() OVER () AS total
FROM (${prefixSumsSql(asked, part)})
ORDER BY ${GROUP_ORDERS[order]}, prefix_key, part
LIMIT {groups_max:UInt32}`;
  return ask(GROUPS, sql, { ...filter.params, interfaces, groups_max: limit }, signal);
}
