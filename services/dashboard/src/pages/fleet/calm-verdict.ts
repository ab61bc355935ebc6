/*
 * The headline where no application is in trouble. Applications of the tier `unjudged` are never called healthy.
 */
import type { Tier } from '@imscope/schemas/health.js';
import { texts } from '../../words/texts.js';
import type { FleetTotals } from './fleet-order.js';

/** @param leftOut applications the answer does not list: the order puts those in trouble first */
export function calmVerdict(
  { tiers }: Pick<FleetTotals, 'tiers'>,
  leftOut: number,
): { readonly tier: Tier; readonly text: string } {
  if (tiers.healthy === 0) {
    return { tier: 'unjudged', text: texts.fleet.noneJudged };
  }
  const sentence = texts.fleet.noneInTrouble;
  const unjudged = tiers.unjudged;
  if (unjudged === 0 || leftOut > 0) return { tier: 'healthy', text: sentence };
  return { tier: 'healthy', text: texts.fleet.someUnjudged(sentence, unjudged) };
}
