/*
 * The headline where no application is in trouble. It claims health only of applications that were judged.
 */
import { DEGRADED_FROM, type Tier } from '@imscope/schemas/health.js';
import { formatQuantity } from '../../words/format-number.js';
import type { FleetTotals } from './fleet-order.js';

/** @param leftOut applications the answer does not list: the order puts those in trouble first */
export function calmWords(
  { tiers }: Pick<FleetTotals, 'tiers'>,
  leftOut: number,
): { readonly tier: Tier; readonly text: string } {
  if (tiers.healthy === 0) {
    const text =
      'No application can be judged: no request was a success or a service error. Let the gateways log the code.';
    return { tier: 'unjudged', text };
  }
  const bound = `${(DEGRADED_FROM * 100).toString()} %`;
  const judged = `No application is in trouble: service errors stay below ${bound}, or are no more than chance explains.`;
  const unjudged = tiers.unjudged;
  if (unjudged === 0 || leftOut > 0) return { tier: 'healthy', text: judged };
  return { tier: 'healthy', text: `${judged} ${formatQuantity(unjudged, 'application')} cannot be judged.` };
}
