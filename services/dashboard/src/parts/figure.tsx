/*
 * Figures with their exact value in the title and, for tests and scripts, in `data-value`.
 */
import { type Tier, tierOf } from '@imscope/schemas/health.js';
import type { OutcomeCounts } from '@imscope/schemas/query-api/answers.js';
import {
  ABSENT,
  formatCount,
  formatDuration,
  formatExact,
  formatRate,
  formatSuccessRate,
} from '../words/format-number.js';
import { type Judged, TIER_LABELS, TIER_RULES, whyUnjudged } from '../words/health-texts.js';

type FigureProps = { readonly testId?: string | undefined };

export function Count({
  value,
  testId,
  unit = 'requests',
}: FigureProps & { readonly value: number; readonly unit?: string }) {
  return (
    <span
      className={value === 0 ? 'num zero' : 'num'}
      title={`${formatExact(value)} ${unit}`}
      data-testid={testId}
      data-value={value}
    >
      {formatCount(value)}
    </span>
  );
}

export function PerSecond({ value, testId }: FigureProps & { readonly value: number }) {
  return (
    <span
      className="num"
      title={`${formatExact(value)} requests per second`}
      data-testid={testId}
      data-value={value}
    >
      {formatRate(value)}
    </span>
  );
}

export function Duration({ value, testId }: FigureProps & { readonly value: number | null }) {
  const title = value === null ? 'No requests in this span' : `${formatExact(value)} ms`;
  return (
    <span className="num" title={title} data-testid={testId} data-value={value ?? ''}>
      {formatDuration(value)}
    </span>
  );
}

type RateProps = FigureProps & { readonly of: Judged; readonly toned?: boolean };

/** A success rate, toned by its tier; "—" with the reason where nothing could be judged. */
export function SuccessRate({ of, testId, toned = true }: RateProps) {
  const { success_rate: rate, outcomes } = of;
  if (rate === null) {
    return (
      <abbr className="num zero" title={whyUnjudged(outcomes)} data-testid={testId} data-value="">
        {ABSENT}
      </abbr>
    );
  }
  const tone = toned ? toneOf(tierOf(outcomes)) : '';
  return (
    <span
      className={`num rate ${tone}`}
      title={explainRate(rate, outcomes)}
      data-testid={testId}
      data-value={rate}
    >
      {formatSuccessRate(rate)}
    </span>
  );
}

/** `failing` and `degraded` have a mark of their own shape, so the colour is not the only signal. */
export function TierBadge({ tier }: { readonly tier: Tier }) {
  return (
    <span className={`badge ${toneOf(tier)}`} title={TIER_RULES[tier]} data-value={tier}>
      <i className={`mark ${tier}`} aria-hidden="true" />
      {TIER_LABELS[tier]}
    </span>
  );
}

const TONES: Readonly<Record<Tier, string>> = {
  failing: 'bad',
  degraded: 'warn',
  healthy: 'good',
  unjudged: 'dim',
};

export function toneOf(tier: Tier): string {
  return TONES[tier];
}

function explainRate(rate: number, outcomes: OutcomeCounts): string {
  const judged = outcomes.success + outcomes.service_error;
  return `${formatExact(rate * 100)} %: ${formatExact(outcomes.success)} of ${formatExact(judged)} judged requests succeeded; beside them ${formatExact(outcomes.caller_error)} caller errors and ${formatExact(outcomes.unknown)} without a code`;
}
