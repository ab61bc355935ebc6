/*
 * What a batch adds to metrics and accounts once it is logged: six numbers a record, in one array until then. They are
 * not summed up before: among 100,000 series hardly two records of a batch share one, so that a map would cost more than
 * it saves.
 */
import type { Outcome } from '@imscope/schemas/outcome.js';
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';

/** One application × interface × region. */
export type SeriesKey = { readonly sdkAppId: number; readonly interface: string; readonly region: string };

/** 6 numbers and a reference of 8 bytes each, and a third more while the arrays grow. */
export const COUNTS_BYTES_PER_RECORD = 75;

const FIELDS = 6;
const OUTCOME_INDEX = { success: 0, caller_error: 1, service_error: 2, unknown: 3 } as const satisfies Record<
  Outcome,
  number
>;

/** What is counted of one request. `code` is NaN where there is none; `outcome` is an index of `OUTCOMES`. */
export type CountedRequest = {
  timeMs: number;
  latencyUs: number;
  code: number;
  outcome: number;
  weight: number;
  /** The width of its metric window, seconds; 0 where no window counts it. */
  widthS: number;
};

/** @param widthS of the window chosen for the record, seconds */
export function countedRequest(record: NewRequestLog, widthS: number): CountedRequest {
  return {
    timeMs: record.time,
    latencyUs: record.latency_us,
    code: record.code ?? Number.NaN,
    outcome: OUTCOME_INDEX[record.outcome],
    weight: record.weight,
    widthS,
  };
}

/** First capacity of a batch; it grows by doubling. */
const RECORDS_AT_FIRST = 64;
/** Large arrays are reused: allocated for every batch, they would be most of the garbage. */
const KEPT_RECORDS_MIN = 1_024;
const KEPT_RECORDS_MAX = 4_096;
/** At most 3 MB. */
const KEPT_MAX = 16;
const reusableArrays: Float64Array[] = [];

export class BatchCounts<S extends SeriesKey> {
  readonly #series: S[] = [];
  #values: Float64Array | undefined;

  append(series: S, record: NewRequestLog, widthS: number): void {
    const at = this.#series.length * FIELDS;
    const values = this.#capacityFor(at + FIELDS);
    this.#series.push(series);
    values[at] = record.time;
    values[at + 1] = record.latency_us;
    values[at + 2] = record.code ?? Number.NaN;
    values[at + 3] = OUTCOME_INDEX[record.outcome];
    values[at + 4] = record.weight;
    values[at + 5] = widthS;
  }

  /** The window widths in the order of the records. */
  widths(): number[] {
    return this.#series.map((_, index) => this.#values?.[index * FIELDS + 5] ?? 0);
  }

  /** Calls `visit` for each record in order. The request is one object that is overwritten each time: do not keep it. */
  forEach(visit: (series: S, request: Readonly<CountedRequest>) => void): void {
    const values = this.#values;
    if (values === undefined) return;
    const request: CountedRequest = { timeMs: 0, latencyUs: 0, code: 0, outcome: 0, weight: 0, widthS: 0 };
    let at = 0;
    for (const series of this.#series) {
      request.timeMs = values[at] ?? 0;
      request.latencyUs = values[at + 1] ?? 0;
      request.code = values[at + 2] ?? 0;
      request.outcome = values[at + 3] ?? 0;
      request.weight = values[at + 4] ?? 0;
      request.widthS = values[at + 5] ?? 0;
      visit(series, request);
      at += FIELDS;
    }
  }

  /** Removes all records, once they are counted or refused. */
  clear(): void {
    const records = (this.#values?.length ?? 0) / FIELDS;
    const isReusable = records >= KEPT_RECORDS_MIN && records <= KEPT_RECORDS_MAX;
    if (this.#values !== undefined && isReusable && reusableArrays.length < KEPT_MAX)
      reusableArrays.push(this.#values);
    this.#values = undefined;
    this.#series.length = 0;
  }

  #capacityFor(fields: number): Float64Array {
    let values = this.#values;
    if (values !== undefined && values.length >= fields) return values;
    if (values === undefined) values = new Float64Array(RECORDS_AT_FIRST * FIELDS);
    else {
      const larger = reusableArrays.pop() ?? new Float64Array(values.length * 2);
      const grown = larger.length > values.length ? larger : new Float64Array(values.length * 2);
      grown.set(values);
      values = grown;
    }
    this.#values = values;
    return values;
  }
}
