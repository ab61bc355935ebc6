/*
 * Interface metrics in the making: every logged request counted in a window of event time, 10 s wide where its
 * series is busy and 60 s elsewhere. The width is chosen when the request comes and stands in the spool, so that
 * a killed boot's windows can be made again. A window may be written more than once (late events come after it
 * was): the store sums, so the rows of a window always add up to its requests. Pure: the clock is an argument.
 */
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import { HOUR_MS, METRIC_LATE_HOURS_MAX } from '@imscope/schemas/retention.js';
import type { BatchCounts, CountedRequest, SeriesKey } from './batch-counts.js';
import { MetricWindow } from './metric-window.js';

/** An older event is in the logs alone. */
export const METRIC_LATE_MS_MAX = METRIC_LATE_HOURS_MAX * HOUR_MS;
/** Requests in the last whole minute from which on a series gets 10 s windows: 6 rows for 120 logs are 5 %. */
export const BUSY_REQUESTS_PER_MINUTE = 120;
/** How long a window that opens after its own end waits for company. */
const LATE_HOLD_MS = 10_000;
const MINUTE_MS = 60_000;
const BUSY_WIDTH_S = 10;
const QUIET_WIDTH_S = 60;

export type Series = SeriesKey & {
  readonly windows: MetricWindow<Series>[];
  /** Requests in batches that are not logged yet: they hold on to this very object. */
  pending: number;
  /** The minute of the collector's clock that `requests` counts, and the requests of the minute before. */
  minute: number;
  requests: number;
  requestsBefore: number;
};

type WindowPlace = { readonly startMs: number; readonly widthS: number; readonly segment: number };

export type MetricWindowsOptions = {
  /** How long a window stays open after its end. */
  readonly graceMs: number;
  /** Open windows, and known series. Beyond, the windows that are due first are written early. */
  readonly windowsMax: number;
  /** A window that was opened needs this segment and all after it, until its row is logged or it is removed. */
  readonly hold: (segment: number) => void;
  readonly release: (segment: number) => void;
};

export class MetricWindows {
  readonly #options: MetricWindowsOptions;
  /** application → interface → region. One object a series as long as anything refers to it. */
  readonly #series = new Map<number, Map<string, Map<string, Series>>>();
  #seriesKnown = 0;
  /** Known series at which those without windows are forgotten. */
  #forgetAt: number;
  /** Open windows by the second in which they are due. A few hundred seconds at most. */
  readonly #due = new Map<number, MetricWindow<Series>[]>();
  #open = 0;
  /** Windows whose sum grew too large: due at once. */
  readonly #overfull = new Set<MetricWindow<Series>>();
  #sweptMinute = 0;
  /** Windows written before their time: there were too many, or their sum grew too large. */
  earlyWindows = 0;
  /** Requests that were too late to be put into a metric. */
  tooLate = 0;

  constructor(options: MetricWindowsOptions) {
    this.#options = options;
    this.#forgetAt = options.windowsMax;
  }

  get open(): number {
    return this.#open;
  }

  get seriesKnown(): number {
    return this.#seriesKnown;
  }

  /** True where windows have to be taken before their time: `take` soon. */
  get full(): boolean {
    return this.#overfull.size > 0 || this.#open > this.#options.windowsMax;
  }

  /** The one object of a series. */
  seriesOf(record: {
    readonly sdk_app_id: number;
    readonly interface: string;
    readonly region: string;
  }): Series {
    const { sdk_app_id: sdkAppId, interface: name, region } = record;
    const known = this.#series.get(sdkAppId)?.get(name)?.get(region);
    if (known !== undefined) return known;
    if (this.#seriesKnown >= this.#forgetAt) this.#forgetUnused();
    let interfaces = this.#series.get(sdkAppId);
    if (interfaces === undefined) this.#series.set(sdkAppId, (interfaces = new Map()));
    let regions = interfaces.get(name);
    if (regions === undefined) interfaces.set(name, (regions = new Map()));
    const series: Series = {
      sdkAppId,
      interface: name,
      region,
      windows: [],
      pending: 0,
      minute: 0,
      requests: 0,
      requestsBefore: 0,
    };
    regions.set(region, series);
    this.#seriesKnown += 1;
    return series;
  }

  /** Chooses the window of a request that just came, by how busy its series is: its width, 0 for none. */
  widthOf(series: Series, timeMs: number, nowMs: number): 0 | 10 | 60 {
    countRequest(series, nowMs);
    if (timeMs < nowMs - METRIC_LATE_MS_MAX) {
      this.tooLate += 1;
      return 0;
    }
    const minuteEndMs = timeMs - (timeMs % MINUTE_MS) + MINUTE_MS;
    const late = minuteEndMs + this.#options.graceMs <= nowMs;
    return series.requestsBefore >= BUSY_REQUESTS_PER_MINUTE && !late ? BUSY_WIDTH_S : QUIET_WIDTH_S;
  }

  /** Counts the requests of a batch that stands in `segment` of the spool. */
  merge(counts: BatchCounts<Series>, segment: number, nowMs: number): void {
    counts.forEach((series, request) => {
      series.pending -= 1;
      this.add(series, request, segment, nowMs);
    });
  }

  /** Counts one request in the window chosen for it. */
  add(series: Series, request: Readonly<CountedRequest>, segment: number, nowMs: number): void {
    const { widthS } = request;
    if (widthS === 0) return;
    const startMs = request.timeMs - (request.timeMs % (widthS * 1_000));
    const window = this.#windowOf(series, { startMs, widthS, segment }, nowMs);
    window.add(request);
    if (window.full) this.#overfull.add(window);
  }

  /** Counts what a row says, of requests that are counted without being logged. */
  mergeRow(row: InterfaceMetric, segment: number, nowMs: number): void {
    const place = { startMs: row.window_start, widthS: row.window_s, segment };
    this.#windowOf(this.seriesOf(row), place, nowMs).addRow(row);
  }

  /** Forgets the window of a row: what it held was written. */
  remove(row: InterfaceMetric): void {
    const { windows } = this.seriesOf(row);
    const window = windows.find(
      ({ startMs, widthS }) => startMs === row.window_start && widthS === row.window_s,
    );
    if (window === undefined) return;
    for (const sameSecond of this.#due.values()) {
      const index = sameSecond.indexOf(window);
      if (index >= 0) sameSecond.splice(index, 1);
    }
    this.#close(window);
    this.#options.release(window.segment);
  }

  /**
   * Takes out up to `windowsMax` windows that are due; all of them with `nowMs` infinite. They hold their segments
   * still: release those once their rows are logged.
   */
  take(nowMs: number, windowsMax: number): MetricWindow<Series>[] {
    const taken: MetricWindow<Series>[] = this.#takeOverfull(windowsMax);
    const excess = this.#open - this.#options.windowsMax;
    const early = Math.min(excess, windowsMax - taken.length);
    for (let count = 0; count < early; count++) {
      const window = this.#earliest();
      if (window === undefined) break;
      this.earlyWindows += 1;
      taken.push(window);
    }
    for (const [second, windows] of this.#due) {
      if (taken.length >= windowsMax) break;
      if (second * 1_000 > nowMs) continue;
      while (taken.length < windowsMax) {
        const window = windows.pop();
        if (window === undefined) break;
        taken.push(this.#close(window));
      }
      if (windows.length === 0) this.#due.delete(second);
    }
    this.#forgetIdle(nowMs);
    return taken;
  }

  #windowOf(series: Series, place: WindowPlace, nowMs: number): MetricWindow<Series> {
    const { windows } = series;
    // The newest first: nearly every request is of the window before it. 66 minutes are open at most.
    for (let index = windows.length - 1; index >= 0; index--) {
      const window = windows[index];
      if (window !== undefined && window.startMs === place.startMs && window.widthS === place.widthS) {
        return window;
      }
    }
    return this.#openWindow(series, place, nowMs);
  }

  #openWindow(series: Series, place: WindowPlace, nowMs: number): MetricWindow<Series> {
    const window = new MetricWindow(series, place);
    this.#options.hold(place.segment);
    series.windows.push(window);
    this.#open += 1;
    const endMs = place.startMs + place.widthS * 1_000 + this.#options.graceMs;
    const second = Math.ceil((endMs > nowMs ? endMs : nowMs + LATE_HOLD_MS) / 1_000);
    const sameSecond = this.#due.get(second);
    if (sameSecond === undefined) this.#due.set(second, [window]);
    else sameSecond.push(window);
    return window;
  }

  /** 52,000 requests of a whole day each within a minute: not seen in life, but anyone may send them. */
  #takeOverfull(windowsMax: number): MetricWindow<Series>[] {
    const taken = [...this.#overfull].slice(0, windowsMax);
    for (const window of taken) {
      this.#overfull.delete(window);
      for (const windows of this.#due.values()) {
        const index = windows.indexOf(window);
        if (index >= 0) windows.splice(index, 1);
      }
      this.earlyWindows += 1;
      this.#close(window);
    }
    return taken;
  }

  #earliest(): MetricWindow<Series> | undefined {
    let earliest = Number.POSITIVE_INFINITY;
    for (const [second, windows] of this.#due) {
      if (windows.length === 0) this.#due.delete(second);
      else earliest = Math.min(earliest, second);
    }
    const window = this.#due.get(earliest)?.pop();
    return window === undefined ? undefined : this.#close(window);
  }

  #close(window: MetricWindow<Series>): MetricWindow<Series> {
    const { windows } = window.series;
    windows.splice(windows.indexOf(window), 1);
    this.#overfull.delete(window);
    this.#open -= 1;
    return window;
  }

  /** There are too many series: those that nothing refers to go, and are made again when they come again. */
  #forgetUnused(): void {
    this.#forget((series) => series.windows.length === 0 && series.pending === 0);
    // Where nearly all are in use, not every new one is worth a look at all of them.
    this.#forgetAt = Math.max(this.#options.windowsMax, Math.ceil(this.#seriesKnown * 1.25));
  }

  /** Once a minute: series without a window and without a request in this minute and the last. */
  #forgetIdle(nowMs: number): void {
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (minute <= this.#sweptMinute || !Number.isFinite(minute)) return;
    this.#sweptMinute = minute;
    this.#forget(
      (series) => series.windows.length === 0 && series.pending === 0 && series.minute < minute - 1,
    );
    this.#forgetAt = this.#options.windowsMax;
  }

  #forget(unused: (series: Series) => boolean): void {
    for (const [sdkAppId, interfaces] of this.#series) {
      for (const [name, regions] of interfaces) {
        for (const [region, series] of regions) {
          if (!unused(series)) continue;
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
