/*
 * Requests that are counted without being logged one by one, because their application is over its quota. They are many
 * requests of few series, so they are summed up by metric window at once.
 */
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';
import { incrementCount } from '../metrics/increment-count.js';
import { countedRequest } from './batch-counts.js';
import { MetricWindow } from './metric-window.js';
import type { Series } from './metric-windows.js';

export class UnloggedCounts {
  readonly #windows = new Map<Series, MetricWindow<Series>[]>();
  readonly #byApplication = new Map<number, number>();

  get byApplication(): ReadonlyMap<number, number> {
    return this.#byApplication;
  }

  /** @returns true where it opened a window, of some 1 kB */
  add(series: Series, record: NewRequestLog, widthS: number): boolean {
    incrementCount(this.#byApplication, series.sdkAppId);
    if (widthS === 0) return false;
    const startMs = record.time - (record.time % (widthS * 1_000));
    let windows = this.#windows.get(series);
    if (windows === undefined) this.#windows.set(series, (windows = []));
    let window = windows.find((other) => other.startMs === startMs && other.widthS === widthS);
    const made = window === undefined;
    if (window === undefined) {
      window = new MetricWindow(series, { startMs, widthS, segment: 0 });
      windows.push(window);
    }
    window.add({ ...countedRequest(record, widthS), weight: 0 });
    return made;
  }

  rows(): InterfaceMetric[] {
    return Array.from(this.#windows.values()).flatMap((windows) => windows.map((window) => window.row()));
  }
}
