/*
 * Interface metrics in the making: every acknowledged record counted in a window of event time, 10 s wide where
 * its series is busy and 60 s elsewhere. A window may be written more than once (late events come after it
 * was): the store sums, so the rows of a window always add up to its records.
 * Pure: the clock is an argument.
 */
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import type { BatchCounts, CountedRequest, SeriesKey } from './batch-counts.js';
import { MetricWindow } from './metric-window.js';

/** How late an event may be to stand in a metric: the term of metrics (48 h) is reckoned from it. */
export const METRIC_LATE_MS_MAX = 3_600_000;
/** Requests in the last whole minute from which on a series gets 10 s windows: 6 rows for 120 logs are 5 %. */
export const BUSY_REQUESTS_PER_MINUTE = 120;
/** How long a window that opens after its own end waits for company. */
const LATE_HOLD_MS = 10_000;
const MINUTE_MS = 60_000;
const BUSY_WIDTH_S = 10;
const QUIET_WIDTH_S = 60;

export type Series = SeriesKey & {
  readonly windows: MetricWindow<Series>[];
  /** The minute of the collector's clock that `requests` counts, and the requests of the minute before. */
  minute: number;
  requests: number;
  requestsBefore: number;
};

export type MetricWindowsOptions = {
  /** How long a window stays open after its end. */
  readonly graceMs: number;
  /** Open windows, and known series. Beyond, the windows that are due first are written early. */
  readonly windowsMax: number;
};

export class MetricWindows {
  readonly #options: MetricWindowsOptions;
  /** application → interface → region. */
  readonly #series = new Map<number, Map<string, Map<string, Series>>>();
  #seriesKnown = 0;
  /** Open windows by the second in which they are due. A few hundred seconds at most. */
  readonly #due = new Map<number, MetricWindow<Series>[]>();
  #open = 0;
  readonly #early: InterfaceMetric[] = [];
  #sweptMinute = 0;
  /** Windows written before their time: there were too many, or their sum grew too large. */
  earlyWindows = 0;
  /** Records that were too late to be put into a metric. */
  tooLate = 0;

  constructor(options: MetricWindowsOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#open;
  }

  get seriesKnown(): number {
    return this.#seriesKnown;
  }

  /** True where windows wait to be taken before their time: `take` soon. */
  get full(): boolean {
    return this.#early.length > 0;
  }

  /** The series of a record. It may be forgotten and made again: then its windows are written apart. */
  seriesOf(record: {
    readonly sdk_app_id: number;
    readonly interface: string;
    readonly region: string;
  }): Series {
    const { sdk_app_id: sdkAppId, interface: name, region } = record;
    let interfaces = this.#series.get(sdkAppId);
    if (interfaces === undefined) this.#series.set(sdkAppId, (interfaces = new Map()));
    let regions = interfaces.get(name);
    if (regions === undefined) interfaces.set(name, (regions = new Map()));
    const known = regions.get(region);
    if (known !== undefined) return known;
    const series = {
      sdkAppId,
      interface: name,
      region,
      windows: [],
      minute: 0,
      requests: 0,
      requestsBefore: 0,
    };
    regions.set(region, series);
    this.#seriesKnown += 1;
    // Series in use live on in their windows and batches, so forgetting all is cheap and loses nothing.
    if (this.#seriesKnown > this.#options.windowsMax) this.#forgetAll();
    return series;
  }

  /** Counts the records of an acknowledged batch. */
  merge(counts: BatchCounts<Series>, nowMs: number): void {
    counts.forEach((series, request) => this.#add(series, request, nowMs));
  }

  /** Takes out up to `rowsMax` rows that are due; all of them with `nowMs` infinite. */
  take(nowMs: number, rowsMax: number): InterfaceMetric[] {
    const rows = this.#early.splice(0, rowsMax);
    for (const [second, windows] of this.#due) {
      if (second * 1_000 > nowMs) continue;
      while (rows.length < rowsMax) {
        const window = windows.pop();
        if (window === undefined) break;
        rows.push(this.#close(window));
      }
      if (windows.length === 0) this.#due.delete(second);
      if (rows.length >= rowsMax) break;
    }
    this.#forgetIdle(nowMs);
    return rows;
  }

  #add(series: Series, request: Readonly<CountedRequest>, nowMs: number): void {
    countRequest(series, nowMs);
    if (request.timeMs < nowMs - METRIC_LATE_MS_MAX) {
      this.tooLate += 1;
      return;
    }
    const window = this.#windowOf(series, request.timeMs, nowMs);
    window.add(request);
    if (window.full) this.#closeFull(window);
  }

  #windowOf(series: Series, timeMs: number, nowMs: number): MetricWindow<Series> {
    const minuteEndMs = timeMs - (timeMs % MINUTE_MS) + MINUTE_MS;
    const late = minuteEndMs + this.#options.graceMs <= nowMs;
    const busy = series.requestsBefore >= BUSY_REQUESTS_PER_MINUTE;
    const widthS = busy && !late ? BUSY_WIDTH_S : QUIET_WIDTH_S;
    const startMs = timeMs - (timeMs % (widthS * 1_000));
    const { windows } = series;
    // The newest first: nearly every record is of the window before it. 66 minutes are open at most.
    for (let index = windows.length - 1; index >= 0; index--) {
      const window = windows[index];
      if (window !== undefined && window.startMs === startMs && window.widthS === widthS) return window;
    }
    return this.#openWindow(series, startMs, widthS, nowMs);
  }

  #openWindow(series: Series, startMs: number, widthS: number, nowMs: number): MetricWindow<Series> {
    if (this.#open >= this.#options.windowsMax) this.#closeEarliest();
    const window = new MetricWindow(series, startMs, widthS);
    series.windows.push(window);
    this.#open += 1;
    const endMs = startMs + widthS * 1_000 + this.#options.graceMs;
    const second = Math.ceil((endMs > nowMs ? endMs : nowMs + LATE_HOLD_MS) / 1_000);
    const sameSecond = this.#due.get(second);
    if (sameSecond === undefined) this.#due.set(second, [window]);
    else sameSecond.push(window);
    return window;
  }

  #closeEarliest(): void {
    let earliest = Number.POSITIVE_INFINITY;
    for (const second of this.#due.keys()) earliest = Math.min(earliest, second);
    const windows = this.#due.get(earliest);
    const window = windows?.pop();
    if (windows?.length === 0) this.#due.delete(earliest);
    if (window === undefined) return;
    this.earlyWindows += 1;
    this.#early.push(this.#close(window));
  }

  /** 52,000 requests of a whole day each within a minute: not seen in life, but anyone may send them. */
  #closeFull(window: MetricWindow<Series>): void {
    for (const windows of this.#due.values()) {
      const index = windows.indexOf(window);
      if (index >= 0) windows.splice(index, 1);
    }
    this.earlyWindows += 1;
    this.#early.push(this.#close(window));
  }

  #close(window: MetricWindow<Series>): InterfaceMetric {
    const { windows } = window.series;
    windows.splice(windows.indexOf(window), 1);
    this.#open -= 1;
    return window.row();
  }

  #forgetAll(): void {
    this.#series.clear();
    this.#seriesKnown = 0;
  }

  /** Once a minute: series without a window and without a request in this minute and the last. */
  #forgetIdle(nowMs: number): void {
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (minute <= this.#sweptMinute || !Number.isFinite(minute)) return;
    this.#sweptMinute = minute;
    for (const [sdkAppId, interfaces] of this.#series) {
      for (const [name, regions] of interfaces) {
        for (const [region, series] of regions) {
          if (series.windows.length > 0 || series.minute >= minute - 1) continue;
          regions.delete(region);
          this.#seriesKnown -= 1;
        }
        if (regions.size === 0) interfaces.delete(name);
      }
      if (interfaces.size === 0) this.#series.delete(sdkAppId);
    }
  }
}

function countRequest(series: Series, nowMs: number): void {
  const minute = Math.floor(nowMs / MINUTE_MS);
  if (series.minute !== minute) {
    series.requestsBefore = series.minute === minute - 1 ? series.requests : 0;
    series.minute = minute;
    series.requests = 0;
  }
  series.requests += 1;
}
