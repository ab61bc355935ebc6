/*
 * `applications`: which applications lose requests right now, and since when? The fleet, sorted, searched and filtered by
 * the service, page by page; with the totals of all beside the page.
 */
import { type Static, Type } from 'typebox';
import { Changes } from './changes.js';
import { HEALTH_REASONS, TIERS } from '../health.js';
import { Link } from '../link-template.js';
import { APPLICATION_NAME } from './application-name.js';
import { FILTER_PARAMETERS } from './filter-parameters.js';
import { STEP_PARAMETER, WINDOW_PARAMETERS } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { Count, NullableNumber, OutcomeCounts, PERFORMANCE, Time } from './values.js';

export const SparkPoint = Type.Object({ time: Time, requests: Count, success_rate: NullableNumber });
export type SparkPoint = Static<typeof SparkPoint>;

/** Bounds of a success rate with 95 % confidence; null without successes and service errors. */
export const SuccessRateInterval = Type.Union([
  Type.Object({ low: Type.Number(), high: Type.Number() }),
  Type.Null(),
]);

/** `fell_silent`: no request, where the span before had more than chance lets vanish. */
export const APPLICATION_REASONS = [...HEALTH_REASONS, 'fell_silent'] as const;

export const ApplicationHealth = Type.Object({
  tier: Type.Enum([...TIERS]),
  /** Stable. */
  reason: Type.Enum([...APPLICATION_REASONS]),
  /** The reason in words. */
  text: Type.String(),
  /** The success rate that is asked of the application: its own objective, or 0.999. */
  target: Type.Number(),
});
export type ApplicationHealth = Static<typeof ApplicationHealth>;

export const ApplicationRow = Type.Object({
  sdk_app_id: Type.Integer(),
  ...APPLICATION_NAME,
  /** Empty where there is none. */
  runbook_url: Type.String(),
  /** Into its operators' logs and traces over the window. */
  links: Type.Array(Link),
  ...PERFORMANCE,
  success_rate_interval: SuccessRateInterval,
  health: ApplicationHealth,
  /** Against the span before; null where that is not compared, see `compared_with`. */
  change: Type.Union([Changes, Type.Null()]),
  interfaces: Count,
  /** Of the interfaces with service errors the first in the order worst first, by the target 0.999; null: none. */
  worst_interface: Type.Union([
    Type.Object({ interface: Type.String(), service_errors: Count, success_rate: NullableNumber }),
    Type.Null(),
  ]),
  /** Where only the metrics have it, the start of the ten seconds or the minute of the last request. */
  last_seen: Time,
  sparkline: Type.Array(SparkPoint),
});
export type ApplicationRow = Static<typeof ApplicationRow>;

const TierCounts = Type.Object({ failing: Count, degraded: Count, healthy: Count, unjudged: Count });

/** Of all applications with these filters, whatever the search and the page. */
export const FleetTotals = Type.Object({
  applications: Count,
  requests: Count,
  requests_per_s: Type.Number(),
  outcomes: OutcomeCounts,
  success_rate: NullableNumber,
  latency_ms: Type.Object({ avg: NullableNumber, max: NullableNumber }),
  tiers: TierCounts,
  /** Among `unjudged`. */
  fell_silent: Count,
});
export type FleetTotals = Static<typeof FleetTotals>;

export const FleetPage = Type.Object({
  totals: FleetTotals,
  /**
   * The span of equal length just before. Null: longer than 24 hours, and not sorted by change; or no logs are kept
   * of all of it.
   */
  compared_with: Type.Union([Type.Object({ from: Time, to: Time }), Type.Null()]),
  /** Only with the filter isp: applications that are counted in the totals alone, for they have too few requests or addresses of it. */
  withheld: Type.Optional(Count),
  /** Applications that the search, `tier` and `reason` leave, on all pages. */
  found: Count,
  applications: Type.Array(ApplicationRow),
  /** For the next page; null on the last. It keeps the window of the first page. */
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});
export type FleetPage = Static<typeof FleetPage>;

export const FLEET_SORTS = [
  'worst',
  'service_errors',
  'success_rate',
  'requests',
  'delay_avg',
  'delay_p50',
  'delay_p95',
  'delay_p99',
  'change',
  'last_seen',
  'name',
  'id',
] as const;
export type FleetSort = (typeof FLEET_SORTS)[number];

export const FleetQuery = Type.Object(
  {
    ...WINDOW_PARAMETERS,
    step: STEP_PARAMETER,
    ...FILTER_PARAMETERS,
    search: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description: 'part of the SDKAppID, name, owner or package, whatever the case',
      }),
    ),
    tier: Type.Optional(
      Type.Array(Type.Enum([...TIERS]), {
        maxItems: TIERS.length,
        description: 'applications of this health; any of several',
      }),
    ),
    reason: Type.Optional(
      Type.Array(Type.Enum([...APPLICATION_REASONS]), {
        maxItems: APPLICATION_REASONS.length,
        description: 'applications whose health has this reason; any of several',
      }),
    ),
    sort: Type.Optional(
      Type.Enum([...FLEET_SORTS], {
        description:
          'default worst: tier, service errors, requests; change: service errors a second more than before, where ' +
          'that is beyond chance. Applications without a value come last',
      }),
    ),
    order: Type.Optional(
      Type.Enum(['asc', 'desc'], {
        description: 'default desc; of success_rate, name and id asc. Of worst, asc is best first',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'default 100' })),
    offset: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000_000,
        description: 'applications to pass over; not with cursor',
      }),
    ),
    cursor: Type.Optional(Type.String({ maxLength: 256, description: 'next_cursor of the page before' })),
  },
  { additionalProperties: false },
);
export type FleetQuery = Static<typeof FleetQuery>;

export const applications = {
  path: '/v1/applications',
  scope: 'fleet',
  operationId: 'listApplications',
  summary:
    'The applications the caller may see, worst first unless sorted, page by page, with the totals of all; 120 steps at most',
  query: FleetQuery,
  data: FleetPage,
  isBoundedList: false,
} as const satisfies QuestionContract;
