/*
 * One open window of one series: counts by outcome and code, the latency histogram, and the row they become. Bounded:
 * `CODES_MAX` codes, and at most 1,165 buckets for latencies within a day.
 */
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import { latencyBucket } from '@imscope/schemas/latency-histogram.js';
import { incrementCount } from '../metrics/increment-count.js';
import type { CountedRequest, SeriesKey } from './batch-counts.js';

/** Most codes of a window beside 0; requests with further codes count as `other`. */
export const CODES_MAX = 20;

/** Avro's longs are exact up to 2^53 here; one more request adds 8.64e10 at most. */
const LATENCY_SUM_US_MAX = 2 ** 52;

/** Latencies that are not summed up yet: at most 500 bytes, less than a map of them. */
const LATEST_MAX = 64;

type CodeKey = number | 'none' | 'other';

export class MetricWindow<S extends SeriesKey> {
  readonly series: S;
  readonly startMs: number;
  readonly widthS: number;
  /** The oldest segment of the spool that holds requests of this window. */
  readonly segment: number;
  #success = 0;
  #callerError = 0;
  #serviceError = 0;
  #unknown = 0;
  #latencySumUs = 0;
  #latencyMaxUs = 0;
  #loggedWeight = 0;
  /** Requests with code 0, nearly all: kept out of the map, which takes ten times as long. */
  #codeZero = 0;
  /** Undefined while there is no other. */
  #codes: Map<CodeKey, number> | undefined;
  /** Buckets of the latest latencies, one by one: among 100,000 series most windows have no more. */
  readonly #latest: number[] = [];
  /** The buckets of earlier latencies, with their counts. */
  #histogram: Map<number, number> | undefined;

  constructor(
    series: S,
    place: { readonly startMs: number; readonly widthS: number; readonly segment: number },
  ) {
    this.series = series;
    this.startMs = place.startMs;
    this.widthS = place.widthS;
    this.segment = place.segment;
  }

  add(request: Readonly<CountedRequest>): void {
    const { outcome, latencyUs } = request;
    if (outcome === 0) this.#success += 1;
    else if (outcome === 1) this.#callerError += 1;
    else if (outcome === 2) this.#serviceError += 1;
    else this.#unknown += 1;
    if (request.code === 0) this.#codeZero += 1;
    else this.#addCode(Number.isNaN(request.code) ? 'none' : request.code, 1);
    this.#latencySumUs += latencyUs;
    if (latencyUs > this.#latencyMaxUs) this.#latencyMaxUs = latencyUs;
    this.#latest.push(latencyBucket(latencyUs));
    if (this.#latest.length >= LATEST_MAX) this.#sumUp();
    this.#loggedWeight += request.weight;
  }

  /** Adds what a row of the same window counts. */
  addRow(row: InterfaceMetric): void {
    this.#success += row.success;
    this.#callerError += row.caller_error;
    this.#serviceError += row.service_error;
    this.#unknown += row.unknown;
    this.#latencySumUs += row.latency_sum_us;
    this.#latencyMaxUs = Math.max(this.#latencyMaxUs, row.latency_max_us);
    this.#loggedWeight += row.logged_weight;
    for (const [code, count] of Object.entries(row.codes)) {
      if (code === '0') this.#codeZero += count;
      else this.#addCode(code === 'none' || code === 'other' ? code : Number(code), count);
    }
    const histogram = (this.#histogram ??= new Map());
    for (const [text, count] of Object.entries(row.latency_histogram))
      incrementCount(histogram, Number(text), count);
  }

  /** True where the sum of latencies is near the greatest exact number: write the window and open another. */
  get full(): boolean {
    return this.#latencySumUs > LATENCY_SUM_US_MAX;
  }

  row(): InterfaceMetric {
    const codes = Object.fromEntries(this.#codes ?? []);
    if (this.#codeZero > 0) codes['0'] = this.#codeZero;
    return {
      window_start: this.startMs,
      window_s: this.widthS,
      sdk_app_id: this.series.sdkAppId,
      interface: this.series.interface,
      region: this.series.region,
      success: this.#success,
      caller_error: this.#callerError,
      service_error: this.#serviceError,
      unknown: this.#unknown,
      codes,
      latency_sum_us: this.#latencySumUs,
      latency_max_us: this.#latencyMaxUs,
      latency_histogram: Object.fromEntries(this.#sumUp()),
      logged_weight: this.#loggedWeight,
    };
  }

  #addCode(code: CodeKey, requests: number): void {
    const codes = (this.#codes ??= new Map());
    // 0, `none` and `other` do not count against the bound.
    const known = codes.has(code) || code === 'none' || codes.size < CODES_MAX;
    incrementCount(codes, known ? code : 'other', requests);
  }

  #sumUp(): ReadonlyMap<number, number> {
    const histogram = (this.#histogram ??= new Map());
    for (const bucket of this.#latest) incrementCount(histogram, bucket);
    this.#latest.length = 0;
    return histogram;
  }
}
