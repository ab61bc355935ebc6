/*
 * The headline where no application is in trouble. Applications of the tier `unjudged` are never called healthy.
 */
import type { Tier } from '@imscope/schemas/health.js';
import type { FleetTotals } from '@imscope/schemas/query-api/applications.js';
import { texts } from '../../words/texts.js';

export function calmVerdict({ tiers }: Pick<FleetTotals, 'tiers'>): {
  readonly tier: Tier;
  readonly text: string;
} {
  if (tiers.healthy === 0) {
    return { tier: 'unjudged', text: texts.fleet.noneJudged };
  }
  const sentence = texts.fleet.noneInTrouble;
  const unjudged = tiers.unjudged;
  if (unjudged === 0) return { tier: 'healthy', text: sentence };
  return { tier: 'healthy', text: texts.fleet.someUnjudged(sentence, unjudged) };
}
