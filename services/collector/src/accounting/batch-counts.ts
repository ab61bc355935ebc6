/*
 * What a batch adds to the metrics and accounts once it is logged: a few numbers a record, kept flat until then.
 * Not summed up yet: among 100,000 series hardly two records of one batch share a series, so a map a batch would
 * cost more than it saves.
 */
import type { Outcome } from '@imscope/schemas/outcome.js';
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';

/** One application × interface × region. */
export type SeriesKey = { readonly sdkAppId: number; readonly interface: string; readonly region: string };

/** 6 numbers and a reference of 8 bytes each, and a third more while they grow. */
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

/** What a batch begins with, and grows from by doubling. */
const RECORDS_AT_FIRST = 64;
/** Large sheets are used again: thrown away with every batch, they would be most of what the heap grows by. */
const KEPT_RECORDS_MIN = 1_024;
const KEPT_RECORDS_MAX = 4_096;
/** At most 3 MB. */
const KEPT_MAX = 16;
const keptSheets: Float64Array[] = [];

export class BatchCounts<S extends SeriesKey> {
  readonly #series: S[] = [];
  #sheet: Float64Array | undefined;

  append(series: S, record: NewRequestLog, widthS: number): void {
    const at = this.#series.length * FIELDS;
    const sheet = this.#sheetFor(at + FIELDS);
    this.#series.push(series);
    sheet[at] = record.time;
    sheet[at + 1] = record.latency_us;
    sheet[at + 2] = record.code ?? Number.NaN;
    sheet[at + 3] = OUTCOME_INDEX[record.outcome];
    sheet[at + 4] = record.weight;
    sheet[at + 5] = widthS;
  }

  /** The window widths in the order of the records. */
  widths(): number[] {
    return this.#series.map((_, index) => this.#sheet?.[index * FIELDS + 5] ?? 0);
  }

  /** Calls `visit` for each record in order. The request is one object, written anew each time: do not keep it. */
  forEach(visit: (series: S, request: Readonly<CountedRequest>) => void): void {
    const sheet = this.#sheet;
    if (sheet === undefined) return;
    const request: CountedRequest = { timeMs: 0, latencyUs: 0, code: 0, outcome: 0, weight: 0, widthS: 0 };
    let at = 0;
    for (const series of this.#series) {
      request.timeMs = sheet[at] ?? 0;
      request.latencyUs = sheet[at + 1] ?? 0;
      request.code = sheet[at + 2] ?? 0;
      request.outcome = sheet[at + 3] ?? 0;
      request.weight = sheet[at + 4] ?? 0;
      request.widthS = sheet[at + 5] ?? 0;
      visit(series, request);
      at += FIELDS;
    }
  }

  /** Lets go of everything: counted, or never to be. */
  clear(): void {
    const records = (this.#sheet?.length ?? 0) / FIELDS;
    const worthIt = records >= KEPT_RECORDS_MIN && records <= KEPT_RECORDS_MAX;
    if (this.#sheet !== undefined && worthIt && keptSheets.length < KEPT_MAX) keptSheets.push(this.#sheet);
    this.#sheet = undefined;
    this.#series.length = 0;
  }

  #sheetFor(fields: number): Float64Array {
    let sheet = this.#sheet;
    if (sheet !== undefined && sheet.length >= fields) return sheet;
    if (sheet === undefined) sheet = new Float64Array(RECORDS_AT_FIRST * FIELDS);
    else {
      const larger = keptSheets.pop() ?? new Float64Array(sheet.length * 2);
      const grown = larger.length > sheet.length ? larger : new Float64Array(sheet.length * 2);
      grown.set(sheet);
      sheet = grown;
    }
    this.#sheet = sheet;
    return sheet;
  }
}
