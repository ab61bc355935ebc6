/*
 * The interface metric: every request of one application, interface and region in one window of event time,
 * counted at the edge before any sampling.
 */
export type InterfaceMetric = {
  /** Epoch milliseconds, a multiple of `window_s`. */
  readonly window_start: number;
  /** 10 where a series is busy, else 60. */
  readonly window_s: number;
  readonly sdk_app_id: number;
  readonly interface: string;
  readonly region: string;
  readonly success: number;
  readonly caller_error: number;
  readonly service_error: number;
  readonly unknown: number;
  /** Requests by code as text; `none` where there is no code, `other` beyond the bound. */
  readonly codes: Readonly<Record<string, number>>;
  readonly latency_sum_us: number;
  readonly latency_max_us: number;
  /** Requests by bucket of `latency-histogram.ts`; the bucket's number as text. */
  readonly latency_histogram: Readonly<Record<string, number>>;
  /** Sum of the weights of the records that were logged of these requests. */
  readonly logged_weight: number;
};
