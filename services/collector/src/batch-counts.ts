/*
 * What a batch adds to the metrics and accounts once it is logged: a few numbers a record, kept flat until then.
 * Not summed up yet: among 100,000 series hardly two records of one batch share a series, so a map a batch would
 * cost more than it saves.
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

/** One request as it is counted. `code` is NaN where there is none; `outcome` is the place in `OUTCOMES`. */
export type CountedRequest = {
  timeMs: number;
  latencyUs: number;
  code: number;
  outcome: number;
  weight: number;
  /** The width of its metric window, seconds; 0 where it stands in none. */
  widthS: number;
};

/** A record as it is counted, and the window chosen for it. */
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

export class BatchCounts<S extends SeriesKey> {
  readonly #series: S[] = [];
  readonly #fields: number[] = [];

  append(series: S, record: NewRequestLog, widthS: number): void {
    this.#series.push(series);
    this.#fields.push(
      record.time,
      record.latency_us,
      record.code ?? Number.NaN,
      OUTCOME_INDEX[record.outcome],
      record.weight,
      widthS,
    );
  }

  /** The window widths in the order of the records. */
  widths(): number[] {
    return this.#series.map((_, index) => this.#fields[index * FIELDS + 5] ?? 0);
  }

  /** Calls `visit` for each record in order. The request is one object, written anew each time: do not keep it. */
  forEach(visit: (series: S, request: Readonly<CountedRequest>) => void): void {
    const fields = this.#fields;
    const request: CountedRequest = { timeMs: 0, latencyUs: 0, code: 0, outcome: 0, weight: 0, widthS: 0 };
    let at = 0;
    for (const series of this.#series) {
      request.timeMs = fields[at] ?? 0;
      request.latencyUs = fields[at + 1] ?? 0;
      request.code = fields[at + 2] ?? 0;
      request.outcome = fields[at + 3] ?? 0;
      request.weight = fields[at + 4] ?? 0;
      request.widthS = fields[at + 5] ?? 0;
      visit(series, request);
      at += FIELDS;
    }
  }

  /** Lets go of everything: counted, or never to be. */
  clear(): void {
    this.#series.length = 0;
    this.#fields.length = 0;
  }
}
