/*
 * The text of a prefix key of `prefixKeySql`: `203.0.113.0/24`, `2001:db8:7::/48`.
 */
import { maskIpAddress } from '@imscope/schemas/ip-address.js';
import { IPV4_KEYS } from '../figures/network-sql.js';

export function prefixText(prefixKey: number): string {
  return maskIpAddress(firstAddress(prefixKey));
}

function firstAddress(prefixKey: number): Buffer {
  const bytes = Buffer.alloc(16);
  if (prefixKey < IPV4_KEYS) bytes.writeUIntBE(prefixKey, 0, 6);
  else {
    bytes.writeUInt16BE(0xffff, 10);
    bytes.writeUIntBE(prefixKey - IPV4_KEYS, 12, 3);
  }
  return bytes;
}
