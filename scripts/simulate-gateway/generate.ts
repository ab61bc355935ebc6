/*
 * Owns the traffic: a pure function from (seed, applications, time range, count, incidents) to request logs, written
 * directly as JSON bytes, with the facts that the truth counts as columns. It reads neither a clock nor the network:
 * the same arguments give the same bytes.
 */
import { simulatedApplications, type Application } from './applications.js';
import { buildFleet, type Fleet, type Member, type Series } from './fleet.js';
import { NOISY_FACTOR, type Incident } from './incidents.js';
import { loadAddressRanges } from './networks.js';
import { AliasTable, Random } from './random.js';
import { RecordWriter, type Batch, type BodyFormat } from './record-writer.js';
import { rhythm } from './rhythm.js';

export interface TrafficOptions {
  readonly seed: number;
  /** How many applications, 24 unless given. */
  readonly applications?: number;
}

/** Which records to make; times are epoch milliseconds, `toMs` exclusive. */
export interface TrafficRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
  readonly incidents?: readonly Incident[];
  /** Records a batch, 500 unless given. */
  readonly batchRecords?: number;
  /** `ndjson` unless given. */
  readonly format?: BodyFormat;
}

/** A record in the collector's format. */
export interface GatewayRecord {
  readonly time: number;
  readonly sdk_app_id: number;
  readonly interface: string;
  readonly exit_ip: string;
  readonly latency_ms: number;
  readonly upstream_ms?: number;
  readonly rtt_ms?: number;
  readonly code: number | null;
  readonly http_status: number;
  readonly exception?: string;
  readonly cause?: string;
  readonly node: string;
  readonly region: string;
  readonly platform: string;
  readonly sdk_version?: string;
  readonly request_id: string;
}

export interface Traffic {
  readonly applications: readonly Application[];
  /** Every interface of every application; a batch's `series` column holds places in it. */
  readonly series: readonly Series[];
  /** Exactly `count` records over the range by the daily rhythm, in order of time, batch by batch. */
  between(range: TrafficRange): Generator<Batch, void, undefined>;
  /** The same records as objects, for tests and small files. */
  records(range: TrafficRange): GatewayRecord[];
  /** Traffic at a moment against the same moment without incidents: above 1 while one application is noisy. */
  strength(atMs: number, incidents: readonly Incident[]): number;
}

/** Records a batch unless said otherwise. */
export const BATCH_RECORDS = 500;
const BINS_MAX = 2048;
const BIN_MS_MIN = 1000;

/** Prepares the fleet of a seed; reads the address data once, about 0.3 s. */
export function createTraffic({ seed, applications = 24 }: TrafficOptions): Traffic {
  const fleet = buildFleet(seed, simulatedApplications(applications), loadAddressRanges());
  const between = (range: TrafficRange) => generateBatches(seed, fleet, range);
  return {
    applications: fleet.members.map(({ application }) => application),
    series: fleet.series,
    between,
    records: (range) => [...between({ ...range, format: 'json' })].flatMap(parseRecords),
    strength: (atMs, incidents) =>
      sum(strengths(fleet.members, atMs, incidents)) / sum(strengths(fleet.members, atMs, [])),
  };
}

function* generateBatches(
  seed: number,
  fleet: Fleet,
  range: TrafficRange,
): Generator<Batch, void, undefined> {
  const { fromMs, toMs, count, incidents = [], batchRecords = BATCH_RECORDS, format = 'ndjson' } = range;
  if (!(toMs > fromMs))
    throw new RangeError(`the range must end after it begins, received ${fromMs} to ${toMs}`);
  const random = new Random(seed, 'traffic', fromMs, toMs, count);
  const touching = incidents.filter((incident) => incident.fromMs < toMs && incident.toMs > fromMs);
  const writer = new RecordWriter(fleet, random, touching, Math.min(batchRecords, count), format);
  const bins = planBins(fleet.members, fromMs, toMs, touching);
  let bin = -1;
  let binEnd = 0;
  let binTotal = 1;
  let table = new AliasTable([1]);
  for (let index = 0; index < count; index++) {
    // Evenly spaced with jitter, on the scale of traffic instead of time: sorted, and busy hours get more.
    const target = ((index + random.unit()) / count) * bins.total;
    while (bin < 0 || (target >= binEnd && bin < bins.strengths.length - 1)) {
      bin++;
      const weights = bins.strengths[bin] ?? [];
      binTotal = sum(weights);
      binEnd += binTotal;
      table = new AliasTable(weights);
    }
    const within = 1 - (binEnd - target) / binTotal;
    const timeMs = Math.min(Math.floor(fromMs + (bin + within) * bins.widthMs), toMs - 1);
    const member = fleet.members[table.pick(random.unit())];
    if (member !== undefined) writer.write(member, timeMs);
    if (writer.full()) yield writer.finishBatch();
  }
  if (!writer.empty()) yield writer.finishBatch();
}

interface Bins {
  readonly widthMs: number;
  /** Strength of each application in each bin. */
  readonly strengths: readonly (readonly number[])[];
  readonly total: number;
}

/** At most `BINS_MAX` slices of the range, none shorter than a second but the only one. */
function planBins(
  members: readonly Member[],
  fromMs: number,
  toMs: number,
  incidents: readonly Incident[],
): Bins {
  const bins = Math.max(1, Math.min(BINS_MAX, Math.floor((toMs - fromMs) / BIN_MS_MIN)));
  const widthMs = (toMs - fromMs) / bins;
  const ofBins = Array.from({ length: bins }, (_, bin) =>
    strengths(members, fromMs + (bin + 0.5) * widthMs, incidents),
  );
  return { widthMs, strengths: ofBins, total: sum(ofBins.map(sum)) };
}

function strengths(members: readonly Member[], atMs: number, incidents: readonly Incident[]): number[] {
  const noisy = incidents
    .filter(({ name, fromMs, toMs }) => name === 'noisy-application' && fromMs <= atMs && atMs < toMs)
    .map(({ applicationIndex }) => applicationIndex % members.length);
  return members.map(
    ({ application: { type, utcOffsetHours, share } }, index) =>
      share * rhythm(type, utcOffsetHours, atMs) * (noisy.includes(index) ? NOISY_FACTOR : 1),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function parseRecords(batch: Batch): GatewayRecord[] {
  const records: GatewayRecord[] = JSON.parse(batch.body.toString('latin1'));
  return records;
}
