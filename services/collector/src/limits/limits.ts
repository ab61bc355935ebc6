/*
 * Creates everything that keeps one sender from using up the process: limits of senders and applications, fair scheduling of
 * parsing, and shares of memory. Reports what is left of limits in answers and in metrics; metrics name only those with the
 * least left.
 */
import type { Applications } from '@imscope/access/applications.js';
import type { Registry } from 'prom-client';
import { type MetricMaker, metricMaker } from '../metrics/metric-maker.js';
import type { ByteBudget } from './byte-budget.js';
import { type ApplicationHeadroom, ApplicationLimits } from './application-limits.js';
import type { RefusalOf } from './application-refusal.js';
import { FairQueue } from './fair-queue.js';
import { type Headroom, SenderLimits } from './sender-limits.js';
import { SenderMemoryShares } from './sender-memory-shares.js';
import { BURST_S } from './token-bucket.js';

/** Labels of a scrape, of senders and of applications each. */
const NAMED_MAX = 20;

export type LimitName = 'token' | 'application' | 'share' | 'address' | 'connections';

export type Limits = {
  readonly senders: SenderLimits;
  readonly applications: ApplicationLimits;
  readonly queue: FairQueue;
  readonly memoryShares: SenderMemoryShares;
  /** Counts a request that was refused by this limit. */
  readonly refused: (limit: LimitName) => void;
  readonly sampledOut: (records: number) => void;
};

export type LimitsOptions = {
  readonly registered: Pick<Applications, 'applicationSettings' | 'failure'>;
  readonly refusalOf: RefusalOf;
  readonly budget: Pick<ByteBudget, 'bytesFree'>;
  /** As `Math.random`. */
  readonly random: () => number;
};

export function createLimits(options: LimitsOptions, registry: Registry): Limits {
  const { registered, refusalOf, budget, random } = options;
  const lookUp = registered.applicationSettings;
  const applications = new ApplicationLimits({ lookUp, refusalOf, random });
  const senders = new SenderLimits();
  const queue = new FairQueue();
  const memoryShares = new SenderMemoryShares(() => budget.bytesFree);
  const metrics = metricMaker(registry);
  metrics.gauge(
    'limited_applications',
    'applications with a quota or limit that sent recently',
    () => applications.size,
  );
  metrics.gauge('sampled_applications', 'applications whose successes are being sampled', () =>
    applications.sampled(performance.now()),
  );
  metrics.gauge('bodies_waiting', 'bodies that wait to be parsed', () => queue.size);
  metrics.gauge(
    'registry_file_stale',
    '1 while the applications file is malformed, or the source of the registry away, and earlier content is in force, else 0',
    () => (registered.failure() === undefined ? 0 : 1),
  );
  headroomGauge(metrics, senders, applications);
  const refused = metrics.counter(
    'requests_limited_total',
    'requests refused entirely: 429 over the limit of token, application, address (without a valid token) or connections, 503 over the share of memory',
    ['limit'],
  );
  const sampledOut = metrics.counter(
    'records_sampled_out_total',
    'accepted records that were counted but not logged one by one',
  );
  return {
    senders,
    applications,
    queue,
    memoryShares,
    refused: (limit) => refused.inc({ limit }),
    sampledOut: (records) => sampledOut.inc(records),
  };
}

function headroomGauge(metrics: MetricMaker, senders: SenderLimits, applications: ApplicationLimits): void {
  const help = `what is left of a limit, 0 to 1, for the ${NAMED_MAX} tokens and applications with the least`;
  metrics.labelledGauge('headroom_ratio', help, ['limit', 'name'], (gauge) => {
    const nowMs = performance.now();
    for (const { name, left, most } of senders.tightest(nowMs, NAMED_MAX)) {
      gauge.set({ limit: 'token', name }, left / most);
    }
    for (const { sdkAppId, left, most } of applications.tightest(nowMs, NAMED_MAX)) {
      gauge.set({ limit: 'application', name: String(sdkAppId) }, left / most);
    }
  });
}

/**
 * The headroom as the IETF's RateLimit header fields: in `RateLimit-Policy` q records within w seconds; in `RateLimit` r
 * records left now, and the bucket is full in t seconds.
 * @param application the one of the request with the least left
 */
export function rateLimitFields(
  sender: Headroom | undefined,
  application: ApplicationHeadroom | undefined,
): Record<string, string> {
  const items: [policy: string, left: string][] = [];
  for (const [name, headroom] of [
    ['token', sender],
    ['application', application],
  ] as const) {
    if (headroom === undefined) continue;
    const { left, most, fullInS } = headroom;
    items.push([`"${name}";q=${most};w=${BURST_S}`, `"${name}";r=${left};t=${fullInS}`]);
  }
  if (items.length === 0) return {};
  return {
    'ratelimit-policy': items.map(([policy]) => policy).join(', '),
    ratelimit: items.map(([, left]) => left).join(', '),
  };
}
