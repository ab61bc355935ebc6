/*
 * Compares a network's figures with its own usual: those of the day before, or all requests of the window where they are
 * not known.
 */
import { differsInSuccessRate } from '@imscope/schemas/change.js';
import type { NetworkRow, Usual } from '@imscope/schemas/query-api/network.js';
import { averageMs, successRate } from '../figures/sums.js';
import type { NetworkSums } from './network-sums.js';

export type Comparison = Pick<NetworkRow, 'usual' | 'lost_requests' | 'fails_more' | 'extra_delay_ms'>;

/** @param before of the same network; undefined where it is not known @param overall all requests of the window */
export function compareUsual(
  now: NetworkSums,
  before: NetworkSums | undefined,
  overall: NetworkSums,
): Comparison {
  const usual = before ?? overall;
  const rated = now.success + now.service_error;
  const usualRated = usual.success + usual.service_error;
  const usualErrors = usualRated === 0 ? 0 : (rated * usual.service_error) / usualRated;
  const lost = now.service_error - usualErrors;
  const delay = averageMs(now.latency_sum_us, now.requests);
  const usualDelay = averageMs(usual.latency_sum_us, usual.requests);
  return {
    usual: usualOf(usual, before === undefined ? 'overall' : 'day_before'),
    lost_requests: lost,
    fails_more: lost > 0 && differsInSuccessRate(now, usual),
    extra_delay_ms: delay === null || usualDelay === null ? null : delay - usualDelay,
  };
}

function usualOf(sums: NetworkSums, source: Usual['source']): Usual {
  return {
    source,
    requests: sums.requests,
    success_rate: successRate(sums.success, sums.service_error),
    latency_avg_ms: averageMs(sums.latency_sum_us, sums.requests),
  };
}

type Ranked = Pick<NetworkRow, 'name' | 'requests' | 'fails_more' | 'lost_requests' | 'extra_delay_ms'>;

/** Requests lost beyond chance, then delay added to all requests together, then requests. */
export function compareWorseThanUsual(a: Ranked, b: Ranked): number {
  const lost = (row: Ranked): number => (row.fails_more ? row.lost_requests : 0);
  const delay = (row: Ranked): number => Math.max(0, row.extra_delay_ms ?? 0) * row.requests;
  return lost(b) - lost(a) || delay(b) - delay(a) || b.requests - a.requests || (a.name < b.name ? -1 : 1);
}
