/*
 * Figures with their exact value in the title and, for tests and scripts, in `data-value`.
 */
import { type Tier, tierOf } from '@imscope/schemas/health.js';
import type { OutcomeCounts } from '@imscope/schemas/query-api/values.js';
import {
  ABSENT,
  formatCount,
  formatDuration,
  formatRate,
  formatSuccessRate,
} from '../words/format-number.js';
import type { CountUnit } from '../words/figure-texts.js';
import { texts } from '../words/texts.js';
import { whyNoRate } from '../words/why-no-rate.js';

/** The counts, and their rate, which is null without a success or a service error. */
export type Judged = { readonly success_rate: number | null; readonly outcomes: OutcomeCounts };

type FigureProps = { readonly testId?: string | undefined };

export function Count({
  value,
  testId,
  unit = 'requests',
}: FigureProps & { readonly value: number; readonly unit?: CountUnit }) {
  return (
    <span
      className={value === 0 ? 'num zero' : 'num'}
      title={texts.figure.count(value, unit)}
      data-testid={testId}
      data-value={value}
    >
      {formatCount(value)}
    </span>
  );
}

export function PerSecond({ value, testId }: FigureProps & { readonly value: number }) {
  return (
    <span className="num" title={texts.figure.perSecond(value)} data-testid={testId} data-value={value}>
      {formatRate(value)}
    </span>
  );
}

export function Duration({ value, testId }: FigureProps & { readonly value: number | null }) {
  const title = value === null ? texts.figure.noRequests : texts.figure.milliseconds(value);
  return (
    <span className="num" title={title} data-testid={testId} data-value={value ?? ''}>
      {formatDuration(value)}
    </span>
  );
}

type RateProps = FigureProps & {
  readonly of: Judged;
  readonly toned?: boolean;
  /** Where the answer says it; otherwise that of the default target. */
  readonly tier?: Tier;
};

/** A success rate, toned by its tier; "—" with the reason where there is none. */
export function SuccessRate({ of, testId, toned = true, tier }: RateProps) {
  const { success_rate: rate, outcomes } = of;
  if (rate === null) {
    return (
      <abbr className="num zero" title={whyNoRate(outcomes)} data-testid={testId} data-value="">
        {ABSENT}
      </abbr>
    );
  }
  const tone = toned ? toneOf(tier ?? tierOf(outcomes)) : '';
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
export function TierBadge({ tier, why }: { readonly tier: Tier; readonly why?: string }) {
  return (
    <span className={`badge ${toneOf(tier)}`} title={why ?? texts.figure.tierRule[tier]} data-value={tier}>
      <i className={`mark ${tier}`} aria-hidden="true" />
      {texts.figure.tier[tier]}
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
  return texts.figure.rate(rate, {
    success: outcomes.success,
    rated: outcomes.success + outcomes.service_error,
    callerErrors: outcomes.caller_error,
    unknown: outcomes.unknown,
  });
}
