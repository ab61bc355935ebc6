/*
 * `breakdown` by network prefix: rows of published blocks (network/published-blocks.ts), as `network` has them. A prefix
 * may be divided by what blocks are divided by, and by its provider, which follows from it. Groups that are not listed and
 * requests that are not published are the difference from the total, so they have no percentiles.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { bucketMiddleUs } from '@imscope/schemas/latency-histogram.js';
import type { Breakdown } from '@imscope/schemas/query-api/breakdown.js';
import type { GroupValues } from '@imscope/schemas/query-api/dimensions.js';
import { filterOf } from '../figures/filter.js';
import { averageMs, inMs, type Performance, successRate } from '../figures/sums.js';
import type { PlanInput, RequestPlan } from '../figures/plan.js';
import type { GroupOrder } from '../figures/ranked-groups.js';
import { sharesOf } from '../figures/shares.js';
import { LOG_TERM_MS, windowSeconds } from '../figures/time-window.js';
import type { NetworkAsk } from '../network/ask-groups.js';
import { askPrefixGroups, type PrefixGroup } from '../network/ask-prefix-groups.js';
import { askPrefixOverall, type PrefixPart } from '../network/ask-prefixes.js';
import { resolveGridWindow } from '../network/grid-window.js';
import { outcomesOf, type NetworkSums, without } from '../network/network-sums.js';
import type { Networks } from '../network/networks.js';
import { requireInterfaceAlone } from '../network/prefix-filters.js';
import { prefixText } from '../network/prefix-text.js';

/** What a prefix may be grouped with. */
const PARTNERS = ['interface', 'isp', 'application'] as const;
type Partner = (typeof PARTNERS)[number];

export type PrefixPlan = RequestPlan & {
  readonly networks: Networks;
  readonly interfaces: readonly string[];
  readonly partner: Partner | undefined;
};

type Query = {
  readonly from?: string;
  readonly to?: string;
  readonly interface?: string[];
  readonly group_by: readonly string[];
};

/** Throws `HttpError` invalid_parameter or prefix_filter_not_allowed. */
export function planByPrefix({
  subject,
  query,
  nowMs,
  networks,
}: PlanInput<Query> & { readonly networks: Networks }): PrefixPlan {
  const { group_by: dimensions, ...others } = query;
  const partner = partnerOf(dimensions);
  requireInterfaceAlone(others);
  const window = resolveGridWindow(query, nowMs);
  // Interfaces are a condition on published blocks, not on the requests that blocks are made of.
  const filter = filterOf(subject, window, {});
  const interfaces = query.interface ?? [];
  return { window, stepMs: null, points: 0, filter, metricsCan: false, networks, interfaces, partner };
}

function partnerOf(dimensions: readonly string[]): Partner | undefined {
  const other = dimensions.find((dimension) => dimension !== 'prefix');
  const partner = PARTNERS.find((one) => one === other);
  if (other === undefined || partner !== undefined) return partner;
  throw new HttpError(
    'invalid_parameter',
    `group_by is prefix and ${other}: a prefix is divided by ${PARTNERS.join(', ')} alone, so that no difference of ` +
      `answers is about one person; ask for prefix alone, or for isp and ${other}`,
  );
}

type Listing = { readonly order: GroupOrder; readonly limit: number };

export async function answerByPrefix(
  { ask, signal }: Pick<NetworkAsk, 'ask' | 'signal'>,
  { window, filter, networks, interfaces, partner }: PrefixPlan,
  { order, limit }: Listing,
): Promise<Breakdown> {
  const { ids, minimum } = networks;
  const asked = { ask, filter, minimum, signal, window, interfaces };
  const part: PrefixPart | undefined = partner === 'isp' ? undefined : partner;
  const [overall, groups] = await Promise.all([
    askPrefixOverall(asked),
    askPrefixGroups({ ...asked, part, order, limit }),
  ]);
  const seconds = windowSeconds(window);
  const expiresMs = window.toMs + LOG_TERM_MS;
  const count = groups[0]?.total ?? 0;
  const rest = without(overall, groups);
  return {
    groups: groups.map((group) => ({
      group: groupOf(group, partner),
      network: ids.seal(group.prefix_key, expiresMs),
      ...performance(group, seconds, group.latency_p95_bucket),
      ...sharesOf(group, overall),
    })),
    other:
      rest.rows === 0
        ? null
        : {
            groups: count - groups.length,
            withheld: null,
            ...performance(rest, seconds, null),
            ...sharesOf(rest, overall),
          },
    total: { groups: count, ...performance(overall, seconds, overall.latency_p95_bucket) },
  };
}

function groupOf({ prefix_key: key, part, isp }: PrefixGroup, partner: Partner | undefined): GroupValues {
  const prefix = prefixText(key);
  if (partner === 'isp') return { isp, prefix };
  if (partner === 'interface') return { interface: String(part), prefix };
  return partner === 'application' ? { application: Number(part), prefix } : { prefix };
}

/**
 * Delays as `network` has them: a maximum is that of one request.
 * @param p95Bucket of the latency histogram; null: not known
 */
function performance(sums: NetworkSums, seconds: number, p95Bucket: number | null): Performance {
  const { requests } = sums;
  return {
    requests,
    requests_per_s: seconds > 0 ? requests / seconds : 0,
    outcomes: outcomesOf(sums),
    success_rate: successRate(sums.success, sums.service_error),
    latency_ms: {
      avg: averageMs(sums.latency_sum_us, requests),
      p50: null,
      p90: null,
      p95: requests === 0 || p95Bucket === null ? null : inMs(bucketMiddleUs(p95Bucket)),
      p99: null,
      max: null,
    },
  };
}
