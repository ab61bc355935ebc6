/*
 * Owns where requests come from: access providers of the applications' countries, each with the gateway region
 * its users reach, and their real address ranges out of `@ip-location-db/asn`. Only the ranges of the providers
 * below are kept, at most RANGES_PER_PROVIDER_MAX a family; the 32 MB of CSV are read once, in chunks.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { SocketAddress } from 'node:net';
import { AliasTable, type Random } from './random.js';

export type Country =
  | 'CN'
  | 'HK'
  | 'TW'
  | 'JP'
  | 'KR'
  | 'ID'
  | 'VN'
  | 'TH'
  | 'PH'
  | 'MY'
  | 'SG'
  | 'IN'
  | 'EG'
  | 'SA'
  | 'AE'
  | 'TR'
  | 'US'
  | 'CA'
  | 'DE'
  | 'FR'
  | 'ES'
  | 'GB'
  | 'BR'
  | 'MX'
  | 'AR'
  | 'NG'
  | 'ZA';

/** An access provider: its share of the country, the median round trip to its region, its share of IPv6. */
export interface Provider {
  readonly asn: number;
  readonly name: string;
  readonly country: Country;
  readonly share: number;
  readonly rttMedianUs: number;
  readonly ipv6Share: number;
}

/** Address ranges of one provider, first and last address, in the file's order; IPv4 ranges drawn by size. */
export interface AddressRanges {
  readonly v4: readonly (readonly [first: number, last: number])[];
  readonly v4BySize: AliasTable;
  readonly v6: readonly (readonly [first: bigint, last: bigint])[];
}

const RANGES_PER_PROVIDER_MAX = 4096;

const ROWS: readonly (readonly [
  asn: number,
  name: string,
  country: Country,
  share: number,
  rttMs: number,
  v6: number,
])[] = [
  [4134, 'Chinanet', 'CN', 34, 19, 0.1],
  [9808, 'China Mobile', 'CN', 30, 27, 0.35],
  [4837, 'CHINA UNICOM China169 Backbone', 'CN', 18, 22, 0.2],
  [56040, 'China Mobile Communications Corporation', 'CN', 10, 16, 0.35],
  [4808, 'China Unicom Beijing Province Network', 'CN', 8, 31, 0.1],
  [4760, 'PCCW IMS Limited', 'HK', 55, 12, 0],
  [9304, 'HGC Global Communications Limited', 'HK', 45, 14, 0.05],
  [3462, 'Chunghwa Telecom Co., Ltd.', 'TW', 60, 31, 0.2],
  [9924, 'Taiwan Fixed Network', 'TW', 40, 35, 0.1],
  [2516, 'KDDI CORPORATION', 'JP', 38, 11, 0.3],
  [17676, 'SoftBank Corp.', 'JP', 34, 12, 0.3],
  [4713, 'NTT Communications Corporation', 'JP', 28, 10, 0.3],
  [4766, 'Korea Telecom', 'KR', 42, 8, 0.05],
  [9318, 'SK Broadband Co Ltd', 'KR', 34, 9, 0.05],
  [3786, 'LG DACOM Corporation', 'KR', 24, 10, 0],
  [23693, 'PT. Telekomunikasi Selular', 'ID', 50, 34, 0.1],
  [7713, 'Telekomunikasi Indonesia (PT)', 'ID', 38, 26, 0.05],
  [23700, 'Linknet-Fastnet ASN', 'ID', 12, 22, 0],
  [7552, 'Viettel Group', 'VN', 48, 44, 0.4],
  [45899, 'VNPT Corp', 'VN', 36, 41, 0.3],
  [18403, 'FPT Telecom Company', 'VN', 16, 39, 0.2],
  [7470, 'TRUE INTERNET CORPORATION CO. LTD.', 'TH', 60, 33, 0.25],
  [45758, 'Triple T Broadband', 'TH', 40, 36, 0.1],
  [4775, 'Globe Telecom', 'PH', 52, 48, 0.1],
  [9299, 'Philippine Long Distance Telephone Co.', 'PH', 48, 45, 0.05],
  [4788, 'TM TECHNOLOGY SERVICES SDN BHD', 'MY', 60, 14, 0.3],
  [9534, 'Maxis Broadband Sdn Bhd', 'MY', 40, 17, 0.2],
  [9506, 'Singapore Telecommunications Ltd', 'SG', 65, 5, 0.2],
  [55430, 'Starhub Internet Pte Ltd', 'SG', 35, 6, 0.1],
  [55836, 'Reliance Jio Infocomm Limited', 'IN', 54, 38, 0.7],
  [24560, 'Bharti Airtel Limited', 'IN', 34, 33, 0.35],
  [9829, 'Bharat Sanchar Nigam Ltd', 'IN', 12, 52, 0.05],
  [8452, 'TE-AS', 'EG', 60, 66, 0],
  [36992, 'ETISALAT MISR', 'EG', 40, 71, 0],
  [25019, 'Saudi Telecom Company JSC', 'SA', 70, 84, 0.3],
  [39891, 'Saudi Telecom Company JSC', 'SA', 30, 88, 0.3],
  [5384, 'Emirates Telecommunications Group', 'AE', 65, 92, 0.1],
  [15802, 'Emirates Integrated Telecommunications', 'AE', 35, 95, 0],
  [9121, 'Turk Telekomunikasyon Anonim Sirketi', 'TR', 60, 47, 0],
  [34984, 'Superonline Iletisim Hizmetleri A.S.', 'TR', 40, 44, 0.05],
  [7922, 'Comcast Cable Communications, LLC', 'US', 40, 29, 0.45],
  [7018, 'AT&T Enterprises, LLC', 'US', 26, 33, 0.2],
  [21928, 'T-Mobile USA, Inc.', 'US', 22, 47, 0.6],
  [701, 'Verizon Business', 'US', 12, 31, 0.1],
  [577, 'Bell Canada', 'CA', 55, 41, 0.05],
  [812, 'Rogers Communications Canada Inc.', 'CA', 45, 38, 0.2],
  [3320, 'Deutsche Telekom AG', 'DE', 58, 13, 0.4],
  [3209, 'Vodafone GmbH', 'DE', 42, 15, 0.3],
  [3215, 'Orange S.A.', 'FR', 55, 21, 0.3],
  [12322, 'Free SAS', 'FR', 45, 19, 0.4],
  [3352, 'TELEFONICA DE ESPANA S.A.U.', 'ES', 56, 33, 0.05],
  [12479, 'Orange Espagne SA', 'ES', 44, 34, 0],
  [2856, 'British Telecommunications PLC', 'GB', 55, 17, 0.2],
  [5089, 'Virgin Media Limited', 'GB', 45, 18, 0],
  [28573, 'Claro NXT Telecomunicacoes Ltda', 'BR', 45, 13, 0.4],
  [27699, 'TELEFONICA BRASIL S.A', 'BR', 33, 14, 0.35],
  [26615, 'TIM S/A', 'BR', 22, 19, 0.1],
  [8151, 'Uninet S.A. de C.V.', 'MX', 100, 58, 0.2],
  [7303, 'Telecom Argentina S.A.', 'AR', 100, 42, 0.1],
  [29465, 'MTN NIGERIA Communication limited', 'NG', 100, 118, 0],
  [37457, 'Telkom SA Ltd.', 'ZA', 55, 152, 0],
  [16637, 'MTN SA', 'ZA', 45, 148, 0.05],
];

/** Every access provider of the simulator. Names are those of the address data, shortened here and there. */
export const PROVIDERS: readonly Provider[] = ROWS.map(([asn, name, country, share, rttMs, ipv6Share]) => ({
  asn,
  name,
  country,
  share,
  rttMedianUs: rttMs * 1000,
  ipv6Share,
}));

/**
 * Reads the providers' address ranges from the installed data, about 0.2 s.
 * @returns ranges by autonomous system number; a provider without any in the data is an error, for its users
 * would silently vanish
 */
export function loadAddressRanges(): ReadonlyMap<number, AddressRanges> {
  const require = createRequire(import.meta.url);
  const v4 = readRanges(require.resolve('@ip-location-db/asn/asn-ipv4-num.csv'), Number);
  const v6 = readRanges(require.resolve('@ip-location-db/asn/asn-ipv6-num.csv'), BigInt);
  const ranges = new Map<number, AddressRanges>();
  for (const { asn, name } of PROVIDERS) {
    const ofProvider = v4.get(asn) ?? [];
    if (ofProvider.length === 0)
      throw new Error(`no IPv4 range of AS${asn} (${name}) in @ip-location-db/asn`);
    const v4BySize = new AliasTable(ofProvider.map(([first, last]) => last - first + 1));
    ranges.set(asn, { v4: ofProvider, v4BySize, v6: v6.get(asn) ?? [] });
  }
  return ranges;
}

/** Reads `first,last,asn,"name"` rows; the quoted name comes last, so the first three fields hold no quotes. */
function readRanges<T>(path: string, parse: (digits: string) => T): Map<number, (readonly [T, T])[]> {
  const wanted = new Map<number, (readonly [T, T])[]>(PROVIDERS.map(({ asn }) => [asn, []]));
  const chunk = Buffer.allocUnsafe(1 << 20);
  const file = openSync(path, 'r');
  try {
    let kept = 0;
    for (;;) {
      const read = readSync(file, chunk, kept, chunk.length - kept, null);
      if (read === 0) return wanted;
      const filled = kept + read;
      let lineStart = 0;
      for (;;) {
        const lineEnd = chunk.indexOf(10, lineStart);
        if (lineEnd < 0 || lineEnd >= filled) break;
        keepRange(chunk, lineStart, lineEnd, wanted, parse);
        lineStart = lineEnd + 1;
      }
      chunk.copyWithin(0, lineStart, filled);
      kept = filled - lineStart;
    }
  } finally {
    closeSync(file);
  }
}

function keepRange<T>(
  chunk: Buffer,
  lineStart: number,
  lineEnd: number,
  wanted: Map<number, (readonly [T, T])[]>,
  parse: (digits: string) => T,
): void {
  const firstComma = chunk.indexOf(44, lineStart);
  const secondComma = chunk.indexOf(44, firstComma + 1);
  let asn = 0;
  for (let place = secondComma + 1; place < lineEnd; place++) {
    const digit = (chunk[place] ?? 0) - 48;
    if (digit < 0) break;
    asn = asn * 10 + digit;
  }
  const ranges = wanted.get(asn);
  if (ranges === undefined || ranges.length >= RANGES_PER_PROVIDER_MAX) return;
  ranges.push([
    parse(chunk.toString('latin1', lineStart, firstComma)),
    parse(chunk.toString('latin1', firstComma + 1, secondComma)),
  ]);
}

/** An address of the provider as text: its ranges by size, IPv6 by the provider's share of it. */
export function drawAddress(provider: Provider, ranges: AddressRanges, random: Random): string {
  if (ranges.v6.length > 0 && random.unit() < provider.ipv6Share) return drawIpv6(ranges.v6, random);
  const [first, last] = ranges.v4[ranges.v4BySize.pick(random.unit())] ?? [0, 0];
  return ipv4Text(first + random.below(last - first + 1));
}

function ipv4Text(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

function drawIpv6(ranges: AddressRanges['v6'], random: Random): string {
  const [first, last] = ranges[random.below(ranges.length)] ?? [0n, 0n];
  let bits = 0n;
  for (let word = 0; word < 4; word++) bits = (bits << 32n) | BigInt(random.uint32());
  const hex = (first + (bits % (last - first + 1n))).toString(16).padStart(32, '0');
  const groups = hex.match(/.{4}/g) ?? [];
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
