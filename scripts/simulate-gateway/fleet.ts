/*
 * Owns the population that traffic is drawn from: for each application its series (interfaces), exit addresses,
 * clients and nodes, each with its piece of JSON already encoded, so that a record is written by copying pieces.
 * A pure function of seed and applications.
 */
import { SDK_VERSIONS, TYPE_CHARACTERS, type Platform } from './application-types.js';
import type { Application } from './applications.js';
import { INTERFACES, type GatewayInterface } from './interfaces.js';
import { drawAddress, PROVIDERS, type AddressRanges, type Provider } from './networks.js';
import { ENDINGS, failuresOf, type Ending } from './outcomes.js';
import { AliasTable, Random } from './random.js';
import { REGIONS, regionsOfCountry } from './regions.js';

/** One interface of one application. */
export interface Series {
  /** Place in `Fleet.series`. */
  readonly index: number;
  readonly sdkAppId: number;
  readonly interface: GatewayInterface;
  /** From the opening brace to `"time":`. */
  readonly json: Buffer;
  /** Share of requests that fail, and how. */
  readonly failureShare: number;
  readonly failures: readonly Ending[];
  readonly failureTable: AliasTable;
}

/** A public exit address with its provider and the gateway region it reaches. */
export interface Origin {
  readonly json: Buffer;
  readonly provider: Provider;
  readonly regionIndex: number;
}

export interface Member {
  readonly application: Application;
  readonly series: readonly Series[];
  readonly seriesTable: AliasTable;
  readonly origins: readonly Origin[];
  readonly clients: readonly Buffer[];
  readonly clientTable: AliasTable;
}

export interface Node {
  readonly name: string;
  /** Up to `"latency_ms":`. */
  readonly json: Buffer;
}

export interface Fleet {
  readonly members: readonly Member[];
  readonly series: readonly Series[];
  /** Nodes by region, in the order of `REGIONS`. */
  readonly nodes: readonly (readonly Node[])[];
  /** JSON of each ending up to `"request_id":"`, one piece for each cause, in the order of `ENDINGS`. */
  readonly endings: readonly (readonly Buffer[])[];
}

const ORIGINS_PER_SHARE = 6000;
const ORIGINS_MIN = 24;
const ORIGINS_MAX = 1500;

/** Builds the population. */
export function buildFleet(
  seed: number,
  applications: readonly Application[],
  ranges: ReadonlyMap<number, AddressRanges>,
): Fleet {
  const series: Series[] = [];
  const members = applications.map((application) => {
    const own = buildSeries(application, series.length);
    series.push(...own.series);
    return {
      application,
      ...own,
      ...buildClients(application),
      origins: buildOrigins(seed, application, ranges),
    };
  });
  return {
    members,
    series,
    nodes: REGIONS.map((region) =>
      region.nodes.map((name) => ({
        name,
        json: ascii(`,${fields({ node: name, region: region.name })},"latency_ms":`),
      })),
    ),
    endings: ENDINGS.map(encodeEnding),
  };
}

function buildSeries(
  application: Application,
  firstIndex: number,
): { readonly series: readonly Series[]; readonly seriesTable: AliasTable } {
  const { families, callbacks = 0 } = TYPE_CHARACTERS[application.type];
  const all = { ...families, callback: callbacks };
  const called = INTERFACES.filter(({ family }) => all[family] > 0);
  const series = called.map((called, offset) => {
    const failures = failuresOf(called.family).map(([failure, weight]) => {
      const factor = failure.outcome === 'caller_error' ? application.carelessness : application.fragility;
      return [failure, weight * factor] as const;
    });
    const weights = failures.map(([, weight]) => weight);
    return {
      index: firstIndex + offset,
      sdkAppId: application.sdkAppId,
      interface: called,
      json: ascii(`{${fields({ sdk_app_id: application.sdkAppId, interface: called.name })},"time":`),
      failureShare: weights.reduce((sum, weight) => sum + weight, 0) / 10_000,
      failures: failures.map(([failure]) => failure),
      failureTable: new AliasTable(weights),
    };
  });
  return {
    series,
    seriesTable: new AliasTable(called.map(({ family, weight }) => all[family] * weight)),
  };
}

const PLATFORMS: readonly Platform[] = ['android', 'ios', 'web', 'windows', 'mac', 'server'];

function buildClients(application: Application): {
  readonly clients: readonly Buffer[];
  readonly clientTable: AliasTable;
} {
  const { platforms } = TYPE_CHARACTERS[application.type];
  const clients = PLATFORMS.flatMap((platform) =>
    SDK_VERSIONS[platform].map(([version, share]) => ({
      json: ascii(`,${fields(version === '' ? { platform } : { platform, sdk_version: version })}`),
      weight: platforms[platform] * share,
    })),
  );
  return {
    clients: clients.map(({ json }) => json),
    clientTable: new AliasTable(clients.map(({ weight }) => weight)),
  };
}

function buildOrigins(
  seed: number,
  application: Application,
  ranges: ReadonlyMap<number, AddressRanges>,
): readonly Origin[] {
  const random = new Random(seed, 'origins', application.sdkAppId);
  const choices = application.countries.flatMap(([country, countryShare]) =>
    PROVIDERS.filter((provider) => provider.country === country).map((provider) => ({
      provider,
      weight: countryShare * provider.share,
    })),
  );
  const table = new AliasTable(choices.map(({ weight }) => weight));
  const count = Math.round(
    Math.min(ORIGINS_MAX, Math.max(ORIGINS_MIN, ORIGINS_PER_SHARE * application.share)),
  );
  return Array.from({ length: count }, () => {
    const provider = choices[table.pick(random.unit())]?.provider;
    const known = provider === undefined ? undefined : ranges.get(provider.asn);
    if (provider === undefined || known === undefined) {
      throw new Error(`${application.name} has no provider with address ranges`);
    }
    const regions = regionsOfCountry(provider.country);
    // Two thirds go to the nearest region, the rest to the next.
    const regionIndex = (random.unit() < 0.67 ? regions[0] : regions.at(-1)) ?? 0;
    return {
      json: ascii(`,${fields({ exit_ip: drawAddress(provider, known, random) })}`),
      provider,
      regionIndex,
    };
  });
}

function encodeEnding(ending: Ending): readonly Buffer[] {
  const { code, httpStatus, exception, causes } = ending;
  return causes.map((cause) => {
    const known = { code, http_status: httpStatus };
    return ascii(`,${fields(exception === '' ? known : { ...known, exception, cause })},"request_id":"`);
  });
}

/** `"name":value,"name":value`, the inside of a JSON object. */
function fields(values: Readonly<Record<string, string | number | null>>): string {
  return JSON.stringify(values).slice(1, -1);
}

function ascii(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
