/*
 * The store queries of `network` by provider, system and region: sums over any requests.
 */
import type { NetworkKind } from '@imscope/schemas/query-api/network.js';
import { type Static, Type } from 'typebox';
import type { Filter } from '../figures/filter.js';
import { asnSql, ispOfAsnSql } from '../figures/network-sql.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import type { Minimum } from '../figures/minimum.js';
import { NETWORK_SUMS, type NetworkSums } from './network-sums.js';
import { LOGGED_COLUMNS_SQL } from './published-blocks.js';

/** More than there are systems of 4,096 addresses or more (`networks load` names no others): 18,000. */
export const GROUPS_MAX = 20_000;

export type GroupKind = Exclude<NetworkKind, 'prefix'>;

const Group = Type.Object({
  name: Type.String(),
  asn: Type.Number(),
  isp: Type.String(),
  addresses: Type.Number(),
  ...NETWORK_SUMS,
});
export type Group = Static<typeof Group>;
const GROUPS = defineStoreQuery('network', Group);
const OVERALL = defineStoreQuery('network_overall', Type.Object(NETWORK_SUMS));

/** What requests are grouped by; name, system and provider of a group. */
type KindSql = { readonly group: string; readonly name: string; readonly asn: string; readonly isp: string };
const KINDS: Readonly<Record<GroupKind, KindSql>> = {
  isp: { group: ispOfAsnSql(asnSql('exit_ip')), name: 'group_of', asn: '0', isp: 'group_of' },
  asn: {
    group: asnSql('exit_ip'),
    name: `if(group_of = 0, '', concat('AS', toString(group_of)))`,
    asn: 'group_of',
    isp: ispOfAsnSql('group_of'),
  },
  region: { group: 'region', name: 'toString(group_of)', asn: '0', isp: `''` },
};

export type NetworkAsk = {
  readonly ask: Ask;
  readonly filter: Filter;
  readonly minimum: Minimum;
  readonly signal: AbortSignal;
};

/** All groups of one kind, also those below the minimum. */
export function askGroups(
  { ask, filter, minimum, signal }: NetworkAsk,
  by: GroupKind,
): Promise<readonly Group[]> {
  const { group, name, asn, isp } = KINDS[by];
  const sql = `
SELECT ${name} AS name, ${asn} AS asn, ${isp} AS isp, * EXCEPT group_of
FROM (
  SELECT
  ${group} AS group_of,
  uniqUpTo(${minimum.addresses})(exit_ip) AS addresses,
  ${LOGGED_COLUMNS_SQL}
  FROM request_log_kept
  WHERE ${filter.sql}
  GROUP BY group_of
)`;
  return ask(GROUPS, sql, filter.params, signal);
}

export async function askOverall({ ask, filter, signal }: NetworkAsk): Promise<NetworkSums> {
  const sql = `SELECT ${LOGGED_COLUMNS_SQL} FROM request_log_kept WHERE ${filter.sql}`;
  const [sums] = await ask(OVERALL, sql, filter.params, signal);
  if (sums === undefined) throw new Error('the store summed nothing, not even zero');
  return sums;
}
