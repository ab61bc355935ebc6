/*
 * Owns the truth: the acknowledged records, counted from the simulator's own columns and never from the store.
 * Acknowledged counts are exact. Refused, ambiguous and unsent records are counted separately, so that the number of
 * stored records must be between `acknowledged` and `acknowledged + ambiguous`.
 */
import type { Application } from './applications.js';
import type { Delivery } from './collector-client.js';
import type { Series } from './fleet.js';
import { LatencyRecord, type Percentiles } from './latency-record.js';
import { ENDINGS, type Outcome } from './outcomes.js';
import type { Batch } from './record-writer.js';

/** Counts of one interface, or of one application over its interfaces. */
export interface Counts {
  readonly acknowledged: number;
  /** May have been accepted: the connection broke, or the collector was in doubt. */
  readonly ambiguous: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Requests by IM code; `null` where the source knows none. */
  readonly codes: Readonly<Record<string, number>>;
  readonly latency_sum_us: number;
  readonly latency_max_us: number;
  readonly latency_us: {
    readonly p50: number | null;
    readonly p90: number | null;
    readonly p95: number | null;
    readonly p99: number | null;
  };
}

export interface InterfaceTruth extends Counts {
  readonly interface: string;
}

export interface ApplicationTruth extends Counts {
  readonly sdk_app_id: number;
  readonly name: string;
  readonly interfaces: readonly InterfaceTruth[];
}

export interface TruthTotals {
  readonly acknowledged: number;
  readonly ambiguous: number;
  readonly rejected: number;
  /** Given up: certainly not accepted. */
  readonly unsent: number;
  /** Never sent, because too many requests were in flight: the open loop does not queue. */
  readonly skipped: number;
  /** Records by reason of each kind. */
  readonly reasons: Readonly<Record<'rejected' | 'ambiguous' | 'unsent', Readonly<Record<string, number>>>>;
  /** Least and greatest event time acknowledged, epoch milliseconds; null before the first. */
  readonly first_ms: number | null;
  readonly last_ms: number | null;
}

export interface TruthReport {
  readonly totals: TruthTotals;
  readonly percentiles: 'exact' | 'within_1.1_percent';
  /** Largest first. */
  readonly applications: readonly ApplicationTruth[];
}

/** Reasons remembered for each kind; further ones count as `other`. */
const REASONS_MAX = 50;

export class Truth {
  private acknowledged = 0;
  private skipped = 0;
  private firstMs: number | null = null;
  private lastMs: number | null = null;
  private readonly reasons = {
    rejected: new Map<string, number>(),
    ambiguous: new Map<string, number>(),
    unsent: new Map<string, number>(),
  };
  /** By series and ending. */
  private readonly counts: Float64Array;
  private readonly ambiguousBySeries: Float64Array;
  private readonly latencySumsUs: Float64Array;
  private readonly latencies: LatencyRecord;

  /** @param exact keep every latency for exact percentiles, up to `EXACT_RECORDS_MAX` */
  constructor(
    private readonly applications: readonly Application[],
    private readonly series: readonly Series[],
    exact: boolean,
  ) {
    this.counts = new Float64Array(series.length * ENDINGS.length);
    this.ambiguousBySeries = new Float64Array(series.length);
    this.latencySumsUs = new Float64Array(series.length);
    this.latencies = new LatencyRecord(exact);
  }

  /** Counts the outcome of a batch. */
  count(batch: Batch, delivery: Delivery): void {
    switch (delivery.kind) {
      case 'accepted':
        for (const { reason } of delivery.rejected) this.addReason('rejected', reason, 1);
        this.acknowledge(batch, new Set(delivery.rejected.map(({ index }) => index)));
        break;
      case 'refused':
        this.addReason('rejected', delivery.reason, batch.count);
        break;
      case 'unsent':
        this.addReason('unsent', delivery.reason, batch.count);
        break;
      case 'ambiguous':
        this.addReason('ambiguous', delivery.reason, batch.count);
        for (let index = 0; index < batch.count; index++)
          increase(this.ambiguousBySeries, batch.series[index], 1);
        break;
    }
  }

  /** Counts records that the open loop skipped. */
  skip(records: number): void {
    this.skipped += records;
  }

  private acknowledge(batch: Batch, rejected: ReadonlySet<number>): void {
    for (let index = 0; index < batch.count; index++) {
      if (rejected.size > 0 && rejected.has(index)) continue;
      const series = batch.series[index] ?? 0;
      const latencyUs = batch.latenciesUs[index] ?? 0;
      increase(this.counts, series * ENDINGS.length + (batch.endings[index] ?? 0), 1);
      increase(this.latencySumsUs, series, latencyUs);
      this.latencies.add(series, latencyUs);
    }
    this.acknowledged += batch.count - rejected.size;
    // A batch with refused records keeps its complete time range: only the counts of its records are corrected.
    this.firstMs = Math.min(this.firstMs ?? batch.firstMs, batch.firstMs);
    this.lastMs = Math.max(this.lastMs ?? batch.lastMs, batch.lastMs);
  }

  private addReason(kind: 'rejected' | 'ambiguous' | 'unsent', reason: string, records: number): void {
    const known = this.reasons[kind];
    const key = known.has(reason) || known.size < REASONS_MAX ? reason : 'other';
    known.set(key, (known.get(key) ?? 0) + records);
  }

  totals(): TruthTotals {
    const { rejected, ambiguous, unsent } = this.reasons;
    return {
      acknowledged: this.acknowledged,
      ambiguous: sum(ambiguous.values()),
      rejected: sum(rejected.values()),
      unsent: sum(unsent.values()),
      skipped: this.skipped,
      reasons: {
        rejected: Object.fromEntries(rejected),
        ambiguous: Object.fromEntries(ambiguous),
        unsent: Object.fromEntries(unsent),
      },
      first_ms: this.firstMs,
      last_ms: this.lastMs,
    };
  }

  /** The current counts. Interfaces and applications without a record are left out. */
  report(): TruthReport {
    const seen = this.series.filter(({ index }) => this.recordsOf([index]) > 0);
    const ofInterfaces = this.latencies.percentiles(seen.map(({ index }) => [index]));
    const interfaces = seen.map((series, place) => ({
      sdkAppId: series.sdkAppId,
      index: series.index,
      truth: {
        interface: series.interface.name,
        ...this.countsOf([series.index], ofInterfaces[place] ?? []),
      },
    }));
    const applications = this.applications
      .map((application) => ({
        application,
        own: interfaces.filter(({ sdkAppId }) => sdkAppId === application.sdkAppId),
      }))
      .filter(({ own }) => own.length > 0);
    const groups = applications.map(({ own }) => own.map(({ index }) => index));
    const ofApplications = this.latencies.percentiles(groups);
    return {
      totals: this.totals(),
      percentiles: this.latencies.exact() ? 'exact' : 'within_1.1_percent',
      applications: applications.map(({ application, own }, place) => ({
        sdk_app_id: application.sdkAppId,
        name: application.name,
        ...this.countsOf(groups[place] ?? [], ofApplications[place] ?? []),
        interfaces: own.map(({ truth }) => truth).toSorted((a, b) => b.acknowledged - a.acknowledged),
      })),
    };
  }

  private recordsOf(series: readonly number[]): number {
    return series.reduce(
      (total, index) =>
        total +
        sum(this.counts.subarray(index * ENDINGS.length, (index + 1) * ENDINGS.length)) +
        (this.ambiguousBySeries[index] ?? 0),
      0,
    );
  }

  private countsOf(series: readonly number[], percentiles: Percentiles): Counts {
    const outcomes: Record<Outcome, number> = { success: 0, caller_error: 0, service_error: 0, unknown: 0 };
    const codes: Record<string, number> = {};
    for (const index of series) {
      for (const ending of ENDINGS) {
        const count = this.counts[index * ENDINGS.length + ending.index] ?? 0;
        if (count === 0) continue;
        outcomes[ending.outcome] += count;
        codes[String(ending.code)] = (codes[String(ending.code)] ?? 0) + count;
      }
    }
    const [p50 = null, p90 = null, p95 = null, p99 = null] = percentiles;
    return {
      acknowledged: sum(Object.values(outcomes)),
      ambiguous: series.reduce((total, index) => total + (this.ambiguousBySeries[index] ?? 0), 0),
      outcomes,
      codes,
      latency_sum_us: series.reduce((total, index) => total + (this.latencySumsUs[index] ?? 0), 0),
      latency_max_us: this.latencies.max(series),
      latency_us: { p50, p90, p95, p99 },
    };
  }
}

function increase(counts: Float64Array, index: number | undefined, by: number): void {
  if (index !== undefined) counts[index] = (counts[index] ?? 0) + by;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
