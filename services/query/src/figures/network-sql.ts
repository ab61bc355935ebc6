/*
 * The network of an exit address, as SQL. A prefix is /24 of IPv4 or /48 of IPv6, which is what answers show. The
 * dictionaries (schemas/clickhouse/0012_network.sql) hold nothing finer, so autonomous system and provider follow from
 * the prefix: prefixes divide systems, and systems divide providers.
 *
 * Group by `prefixKeySql` where there are many rows, and look up each group: a number is compared faster than text.
 */
import { maskedIpSql } from '@imscope/schemas/ip-address.js';

/** Keys of IPv4 prefixes begin here; those of IPv6 prefixes are smaller: the first 48 bits. */
export const IPV4_KEYS = 2 ** 48;

const isIpv4Sql = (column: string): string => `bitShiftRight(toUInt128(${column}), 32) = 65535`;
/** The first 24 bits of an IPv4 address. */
const ipv4UnitSql = (column: string): string =>
  `toUInt64(bitAnd(bitShiftRight(toUInt128(${column}), 8), 16777215))`;

/** The prefix as UInt64 below 2^49; `prefixOfKey` gives its text. */
export function prefixKeySql(column: string): string {
  return `if(${isIpv4Sql(column)}, ${IPV4_KEYS} + ${ipv4UnitSql(column)}, toUInt64(bitShiftRight(toUInt128(${column}), 80)))`;
}

/** The prefix as text: `203.0.113.0/24`, `2001:db8:7::/48`. */
export function prefixSql(column: string): string {
  return maskedIpSql(column);
}

/** The number of the autonomous system as UInt32; 0 where it is not known. */
export function asnSql(column: string): string {
  return `if(${isIpv4Sql(column)}, dictGet('network_ipv4', 'asn', ${ipv4UnitSql(column)}), dictGet('network_ipv6', 'asn', ${column}))`;
}

/** The same for a key of `prefixKeySql`. */
export function asnOfKeySql(key: string): string {
  return `if(${key} >= ${IPV4_KEYS}, dictGet('network_ipv4', 'asn', ${key} - ${IPV4_KEYS}), dictGet('network_ipv6', 'asn', toIPv6(bitShiftLeft(toUInt128(${key}), 80))))`;
}

/** The provider's name of an autonomous system; '' where it is not known. */
export function ispOfAsnSql(asn: string): string {
  return `dictGet('network_isp', 'isp', toUInt64(${asn}))`;
}

/** The provider's name; '' where it is not known. */
export function ispSql(column: string): string {
  return ispOfAsnSql(asnSql(column));
}

/** The condition of the filter by provider, over the names in `isp`. The empty name is that of system 0. */
export const ISP_FILTER_SQL = `(${asnSql('exit_ip')} IN (SELECT asn FROM network_name_current WHERE isp IN {isp:Array(String)})
    OR (has({isp:Array(String)}, '') AND ${asnSql('exit_ip')} = 0))`;
