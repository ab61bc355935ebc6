/* The findings of a chaos run as figures: every count of differences must be 0. */
import { type Figure, figure } from '../bench/figure.js';
import type { Findings } from './check-accounting.js';

export const NONE = { bound: 'at_most', limit: 0 } as const;

export function findingsFigures(findings: Findings): Figure[] {
  return [
    figure('acknowledged', findings.acknowledged, 'records'),
    figure('stored', findings.stored, 'records'),
    figure('lost', findings.lost, 'records', { goal: NONE }),
    figure('doubled', findings.doubled, 'records', { goal: NONE }),
    figure('refused-but-stored', findings.refusedStored, 'records', { goal: NONE }),
    figure('ledger-differences', findings.ledgerDifferences, '', { goal: NONE }),
    figure('metric-differences', findings.metricDifferences, '', { goal: NONE }),
    figure('account-differences', findings.accountDifferences, '', { goal: NONE }),
  ];
}
