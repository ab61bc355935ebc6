/*
 * Owns the gateway regions and their nodes. Node names begin with `sim-`, which distinguishes simulated
 * records from real ones wherever they are shown.
 */
import type { Country } from './networks.js';

/** A gateway region; older gateways report neither upstream latency nor round trip. */
export interface Region {
  readonly name: string;
  readonly nodes: readonly string[];
  readonly reportsTimings: boolean;
}

const ROWS: readonly (readonly [name: string, short: string, nodes: number, reportsTimings: boolean])[] = [
  ['ap-guangzhou', 'gz', 8, true],
  ['ap-shanghai', 'sh', 6, true],
  ['ap-hongkong', 'hk', 3, true],
  ['ap-singapore', 'sg', 5, true],
  ['ap-jakarta', 'jkt', 3, true],
  ['ap-tokyo', 'tyo', 3, true],
  ['ap-seoul', 'sel', 3, true],
  ['ap-mumbai', 'bom', 4, true],
  ['eu-frankfurt', 'fra', 4, true],
  ['na-siliconvalley', 'sv', 4, true],
  ['sa-saopaulo', 'sao', 2, false],
];

export const REGIONS: readonly Region[] = ROWS.map(([name, short, count, reportsTimings]) => ({
  name,
  nodes: Array.from({ length: count }, (_, index) => `sim-gw-${short}-${String(index + 1).padStart(2, '0')}`),
  reportsTimings,
}));

const REGIONS_BY_COUNTRY: Record<Country, readonly string[]> = {
  CN: ['ap-guangzhou', 'ap-shanghai'],
  HK: ['ap-hongkong'],
  TW: ['ap-hongkong'],
  JP: ['ap-tokyo'],
  KR: ['ap-seoul'],
  ID: ['ap-jakarta'],
  VN: ['ap-singapore'],
  TH: ['ap-singapore'],
  PH: ['ap-singapore'],
  MY: ['ap-singapore'],
  SG: ['ap-singapore'],
  IN: ['ap-mumbai'],
  EG: ['eu-frankfurt'],
  SA: ['ap-mumbai', 'eu-frankfurt'],
  AE: ['ap-mumbai'],
  TR: ['eu-frankfurt'],
  US: ['na-siliconvalley'],
  CA: ['na-siliconvalley'],
  DE: ['eu-frankfurt'],
  FR: ['eu-frankfurt'],
  ES: ['eu-frankfurt'],
  GB: ['eu-frankfurt'],
  BR: ['sa-saopaulo'],
  MX: ['na-siliconvalley'],
  AR: ['sa-saopaulo'],
  NG: ['eu-frankfurt'],
  ZA: ['eu-frankfurt'],
};

/** Indexes into `REGIONS` that users of a country reach, nearest first. */
export function regionsOfCountry(country: Country): readonly number[] {
  return REGIONS_BY_COUNTRY[country].map((name) => REGIONS.findIndex((region) => region.name === name));
}
