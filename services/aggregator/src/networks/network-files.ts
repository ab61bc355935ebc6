/*
 * The address data of `@ip-location-db/asn`, or of a folder that has the same files: ranges of addresses with the number
 * and the name of the autonomous system that announces them.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { AddressRange } from './network-prefixes.js';

const IPV4_FILE = 'asn-ipv4-num.csv';
const IPV6_FILE = 'asn-ipv6-num.csv';

export type NetworkFiles = {
  /** The package's version, or the beginning of the files' SHA-256. */
  readonly version: string;
  readonly ipv4: readonly AddressRange[];
  readonly ipv6: readonly AddressRange[];
  /** The name of each system, as the files have it. */
  readonly names: ReadonlyMap<number, string>;
};

export type NetworkSource = { readonly version: string; read(): NetworkFiles };

/** @param directory a folder with both files; undefined: the installed package */
export function networkSource(directory: string | undefined): NetworkSource {
  const require = createRequire(import.meta.url);
  const from = directory ?? dirname(require.resolve(`@ip-location-db/asn/${IPV4_FILE}`));
  const version = directory === undefined ? packageVersion(from) : digestOf(from);
  return {
    version,
    read: () => {
      const names = new Map<number, string>();
      const ipv4 = readRanges(join(from, IPV4_FILE), names);
      const ipv6 = readRanges(join(from, IPV6_FILE), names);
      return { version, ipv4, ipv6, names };
    },
  };
}

function packageVersion(directory: string): string {
  const description: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  if (typeof description === 'object' && description !== null && 'version' in description) {
    return String(description.version);
  }
  throw new Error(`${directory}/package.json states no version`);
}

function digestOf(directory: string): string {
  const hash = createHash('sha256');
  for (const file of [IPV4_FILE, IPV6_FILE]) hash.update(readFileSync(join(directory, file)));
  return `sha256:${hash.digest('hex').slice(0, 16)}`;
}

/** Numbers of systems have 32 bits. */
const ASN_MAX = 4_294_967_295;

/** @param names gets the names of the systems @throws where a row has another form, with its line */
function readRanges(path: string, names: Map<number, string>): AddressRange[] {
  const rows = parse(readFileSync(path), { skip_empty_lines: true });
  return rows.map((row: readonly string[], index) => {
    const [first = '', last = '', asnText = '', name = ''] = row;
    const asn = Number(asnText);
    const isRange = row.length === 4 && /^\d{1,39}$/.test(first) && /^\d{1,39}$/.test(last);
    if (!isRange || !/^\d{1,10}$/.test(asnText) || asn > ASN_MAX) {
      throw new Error(
        `${path}, row ${index + 1}: ${JSON.stringify(row.join(','))} is not first address,last address,number,name ` +
          'with addresses as numbers',
      );
    }
    // One name a system, so that a system belongs to one provider.
    if (!names.has(asn)) names.set(asn, name);
    return { first: BigInt(first), last: BigInt(last), asn };
  });
}
