/*
 * Owns the latencies of a run: a histogram of each series, and on request every single value up to a bound. So
 * percentiles are exact for the runs of tests, and within 1.1 % for runs of any length.
 */
import { latencyBucket, percentilesUs } from '@imscope/schemas/latency-histogram.js';

export const QUANTILES = [0.5, 0.9, 0.95, 0.99] as const;

/** p50, p90, p95 and p99 in microseconds by nearest rank; null where nothing was counted. */
export type Percentiles = readonly (number | null)[];

/** Values kept for exact percentiles: 4 million at 6 bytes are 24 MB. */
export const EXACT_RECORDS_MAX = 4_000_000;
const CHUNK = 65_536;
/** 32 buckets a doubling up to 2^31 µs, and one for 0 and 1. */
const BUCKETS = 32 * 31 + 1;

interface Chunk {
  readonly series: Uint16Array;
  readonly latenciesUs: Int32Array;
}

export class LatencyRecord {
  /** By series; made with a series' first value, 8 kB each. */
  private readonly histograms: (Float64Array | undefined)[] = [];
  private readonly maxUs: number[] = [];
  private chunks: Chunk[] | undefined;
  private kept = 0;

  /** @param exact keep every value; beyond `EXACT_RECORDS_MAX` all are let go and the histogram alone answers */
  constructor(exact: boolean) {
    this.chunks = exact ? [] : undefined;
  }

  /** Whether percentiles are exact so far. */
  exact(): boolean {
    return this.chunks !== undefined;
  }

  add(series: number, latencyUs: number): void {
    const histogram = (this.histograms[series] ??= new Float64Array(BUCKETS));
    const bucket = latencyBucket(latencyUs) + 1;
    histogram[bucket] = (histogram[bucket] ?? 0) + 1;
    if (latencyUs > (this.maxUs[series] ?? -1)) this.maxUs[series] = latencyUs;
    if (this.chunks !== undefined) this.keep(this.chunks, series, latencyUs);
  }

  private keep(chunks: Chunk[], series: number, latencyUs: number): void {
    if (this.kept === EXACT_RECORDS_MAX) {
      this.chunks = undefined;
      return;
    }
    const place = this.kept % CHUNK;
    if (place === 0) chunks.push({ series: new Uint16Array(CHUNK), latenciesUs: new Int32Array(CHUNK) });
    const chunk = chunks.at(-1);
    if (chunk === undefined) throw new Error('a chunk was just made sure of');
    chunk.series[place] = series;
    chunk.latenciesUs[place] = latencyUs;
    this.kept++;
  }

  /** Greatest latency of some series together, 0 where nothing was counted. */
  max(series: readonly number[]): number {
    return series.reduce((most, index) => Math.max(most, this.maxUs[index] ?? 0), 0);
  }

  /** Percentiles of groups of series, each series in at most one group: one walk over the values for all. */
  percentiles(groups: readonly (readonly number[])[]): Percentiles[] {
    return this.chunks === undefined
      ? groups.map((series) => this.histogramPercentiles(series))
      : exactPercentiles(this.chunks, this.kept, groups);
  }

  private histogramPercentiles(series: readonly number[]): Percentiles {
    const histograms = series.flatMap((index) => this.histograms[index] ?? []);
    const buckets: [bucket: number, count: number][] = [];
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      let count = 0;
      for (const histogram of histograms) count += histogram[bucket] ?? 0;
      if (count > 0) buckets.push([bucket - 1, count]);
    }
    return percentilesUs(buckets, QUANTILES, this.max(series));
  }
}

function exactPercentiles(
  chunks: readonly Chunk[],
  kept: number,
  groups: readonly (readonly number[])[],
): Percentiles[] {
  const groupOf = new Map(groups.flatMap((series, group) => series.map((index) => [index, group] as const)));
  const counts = groups.map(() => 0);
  const walk = (visit: (group: number, latencyUs: number) => void): void => {
    for (let place = 0; place < kept; place++) {
      const chunk = chunks[Math.floor(place / CHUNK)];
      const group = groupOf.get(chunk?.series[place % CHUNK] ?? -1);
      if (group !== undefined) visit(group, chunk?.latenciesUs[place % CHUNK] ?? 0);
    }
  };
  walk((group) => (counts[group] = (counts[group] ?? 0) + 1));
  const values = counts.map((count) => new Int32Array(count));
  const filled = counts.map(() => 0);
  walk((group, latencyUs) => {
    const at = filled[group] ?? 0;
    const own = values[group];
    if (own !== undefined) own[at] = latencyUs;
    filled[group] = at + 1;
  });
  return values.map((own) => {
    own.sort();
    return QUANTILES.map((quantile) => own[nearestRank(quantile, own.length) - 1] ?? null);
  });
}

/** Rank of a quantile among `count` sorted values, from 1. Worked in percent, so that 0.95 · 20 is rank 19. */
function nearestRank(quantile: number, count: number): number {
  return Math.max(1, Math.ceil((Math.round(quantile * 100) * count) / 100));
}
