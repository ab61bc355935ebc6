/*
 * Addresses as bytes, with the ones seen lately remembered: callers send many requests from few addresses,
 * and taking the same text apart again would be a tenth of a record's whole cost. Bounded: when full, the
 * older half's generation is forgotten as a whole, which costs nothing per look-up.
 */
import { parseIpAddress } from '@imscope/schemas/ip-address.js';

/** Two generations of 20,000 addresses at about 150 bytes: at most 6 MB. */
const GENERATION_MAX = 20_000;

let young = new Map<string, Buffer>();
let old = new Map<string, Buffer>();

/** 16 bytes in network order, undefined where the text is no address. Callers must not write into them. */
export function addressBytes(text: string): Buffer | undefined {
  const known = young.get(text);
  if (known !== undefined) return known;
  const bytes = old.get(text) ?? parseIpAddress(text);
  if (bytes === undefined) return undefined;
  if (young.size >= GENERATION_MAX) {
    old = young;
    young = new Map();
  }
  young.set(text, bytes);
  return bytes;
}
