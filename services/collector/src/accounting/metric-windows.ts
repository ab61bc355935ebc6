/*
 * Open windows of interface metrics. Every logged request is counted in a window of event time, 10 s wide for busy
 * series and 60 s for others. The width is chosen when the request is accepted, and is in the spool, so that the windows
 * of a killed incarnation are recovered. Late events open a window again, so that it has several rows; the store sums
 * them. Pure: the clock is an argument.
 */
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import { HOUR_MS, METRIC_LATE_HOURS_MAX } from '@imscope/schemas/retention.js';
import type { BatchCounts, CountedRequest, SeriesKey } from './batch-counts.js';
import { MetricWindow } from './metric-window.js';

/** An older event is in the logs only. */
export const METRIC_LATE_MS_MAX = METRIC_LATE_HOURS_MAX * HOUR_MS;
/** From so many requests in the last complete minute, a series gets 10 s windows: 6 rows for 120 logs are 5 %. */
export const BUSY_REQUESTS_PER_MINUTE = 120;
/** How long a window that opens after its own end stays open. */
const LATE_HOLD_MS = 10_000;
const MINUTE_MS = 60_000;
const BUSY_WIDTH_S = 10;
const QUIET_WIDTH_S = 60;

export type Series = SeriesKey & {
  readonly windows: MetricWindow<Series>[];
  /** Requests in batches that are not logged yet, which refer to this object. */
  pending: number;
  /** The minute of the collector's clock that `requests` counts; `requestsBefore` counts the minute before it. */
  minute: number;
  requests: number;
  requestsBefore: number;
};

type WindowPlace = { readonly startMs: number; readonly widthS: number; readonly segment: number };

export type MetricWindowsOptions = {
  /** How long a window stays open after its end. */
  readonly graceMs: number;
  /** Most open windows, and most known series. Above it, the windows that are due first are written early. */
  readonly windowsMax: number;
  /** An open window needs this segment and all after it, until its row is logged or the window is removed. */
  readonly hold: (segment: number) => void;
  readonly release: (segment: number) => void;
};

export class MetricWindows {
  readonly #options: MetricWindowsOptions;
  /** Application → interface → region. A series is one object as long as anything refers to it. */
  readonly #series = new Map<number, Map<string, Map<string, Series>>>();
  #seriesKnown = 0;
  /** At so many known series, those without windows are removed. */
  #forgetAt: number;
  /** Open windows by the second in which they are due. A few hundred seconds at most. */
  readonly #due = new Map<number, MetricWindow<Series>[]>();
  #open = 0;
  /** Windows whose sum became too large, which are due at once. */
  readonly #overfull = new Set<MetricWindow<Series>>();
  #sweptMinute = 0;
  /** Windows written early: there were too many, or their sum became too large. */
  earlyWindows = 0;
  /** Requests that were too late for a metric. */
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

  /** True where windows must be written early: call `closeDue` soon. */
  get full(): boolean {
    return this.#overfull.size > 0 || this.#open > this.#options.windowsMax;
  }

  /** The only object of a series. */
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

  /** Chooses the window of a new request by how busy its series is. @returns its width, seconds; 0 for none */
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

  /** Counts the requests of a batch that is in `segment` of the spool. */
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

  /** Adds a row, of requests that are counted without being logged. */
  mergeRow(row: InterfaceMetric, segment: number, nowMs: number): void {
    const place = { startMs: row.window_start, widthS: row.window_s, segment };
    this.#windowOf(this.seriesOf(row), place, nowMs).addRow(row);
  }

  /** Removes the window of a row that was written. */
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
   * Closes up to `windowsMax` windows that are due; all of them with `nowMs` infinite. They still hold their segments:
   * release those once the rows are logged.
   */
  closeDue(nowMs: number, windowsMax: number): MetricWindow<Series>[] {
    const closed: MetricWindow<Series>[] = this.#closeOverfull(windowsMax);
    const excess = this.#open - this.#options.windowsMax;
    const early = Math.min(excess, windowsMax - closed.length);
    for (let count = 0; count < early; count++) {
      const window = this.#earliest();
      if (window === undefined) break;
      this.earlyWindows += 1;
      closed.push(window);
    }
    for (const [second, windows] of this.#due) {
      if (closed.length >= windowsMax) break;
      if (second * 1_000 > nowMs) continue;
      while (closed.length < windowsMax) {
        const window = windows.pop();
        if (window === undefined) break;
        closed.push(this.#close(window));
      }
      if (windows.length === 0) this.#due.delete(second);
    }
    this.#forgetIdle(nowMs);
    return closed;
  }

  #windowOf(series: Series, place: WindowPlace, nowMs: number): MetricWindow<Series> {
    const { windows } = series;
    // The newest first, which is nearly always the right one. At most 66 minutes are open.
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

  /** 52,000 requests of one day each within a minute: never seen, but a client may send them. */
  #closeOverfull(windowsMax: number): MetricWindow<Series>[] {
    const overfull = [...this.#overfull].slice(0, windowsMax);
    for (const window of overfull) {
      this.#overfull.delete(window);
      for (const windows of this.#due.values()) {
        const index = windows.indexOf(window);
        if (index >= 0) windows.splice(index, 1);
      }
      this.earlyWindows += 1;
      this.#close(window);
    }
    return overfull;
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

  /** Removes series that nothing refers to, since there are too many. */
  #forgetUnused(): void {
    this.#forget((series) => series.windows.length === 0 && series.pending === 0);
    // Where nearly all are in use, do not search all of them for every new one.
    this.#forgetAt = Math.max(this.#options.windowsMax, Math.ceil(this.#seriesKnown * 1.25));
  }

  /** Once a minute: removes series without a window and without a request in this minute and the last. */
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
