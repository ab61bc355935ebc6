/*
 * The first thing read: is anything broken, for whom, since what size. One sentence, then the totals.
 */
import { Link } from 'wouter';
import { Count, PerSecond, SuccessRate, TierBadge } from '../../parts/figure.js';
import { formatCount, formatExact, formatQuantity, formatSuccessRate } from '../../words/format-number.js';
import { windowSearch } from '../../state/page-state.js';
import type { TimeWindow } from '../../state/time-window.js';
import { calmWords } from './calm-verdict.js';
import type { FleetTotals, RankedApplication } from './fleet-order.js';
import { recentTurn } from './recent-turn.js';

type Props = {
  readonly totals: FleetTotals;
  /** Applications the answer does not list. */
  readonly leftOut: number;
  /** undefined: none is in trouble. */
  readonly worst: RankedApplication | undefined;
  readonly window: TimeWindow;
};

export function FleetSummary({ totals, leftOut, worst, window }: Props) {
  return (
    <section className="summary" aria-label="The fleet in this window">
      <Verdict totals={totals} leftOut={leftOut} worst={worst} window={window} />
      <Totals totals={totals} leftOut={leftOut} />
    </section>
  );
}

function Totals({ totals, leftOut }: Pick<Props, 'totals' | 'leftOut'>) {
  const trouble = totals.tiers.failing + totals.tiers.degraded;
  return (
    <div>
      <dl className="totals">
        <div>
          <dt>In trouble</dt>
          <dd data-testid="fleet-trouble" data-value={trouble}>
            {trouble}
            <small> of {formatQuantity(totals.applications + leftOut, 'application')}</small>
          </dd>
        </div>
        <div>
          <dt>Success rate</dt>
          <dd>
            <SuccessRate
              of={{ success_rate: totals.successRate, outcomes: outcomesOf(totals) }}
              testId="fleet-success-rate"
            />
          </dd>
        </div>
        <div>
          <dt>Service errors</dt>
          <dd>
            <Count value={totals.serviceErrors} unit="service errors" testId="fleet-service-errors" />
          </dd>
        </div>
        <div>
          <dt>Requests</dt>
          <dd>
            <Count value={totals.requests} testId="fleet-requests" />
            <small>
              {' '}
              <PerSecond value={totals.requestsPerS} testId="fleet-requests-per-s" /> /s
            </small>
          </dd>
        </div>
      </dl>
      {leftOut > 0 && (
        <p className="quiet totals-note">
          Success rate, service errors and requests are of the {formatExact(totals.applications)} applications
          listed.
        </p>
      )}
    </div>
  );
}

function Verdict({ totals, leftOut, worst, window }: Props) {
  const { failing, degraded } = totals.tiers;
  if (worst === undefined) {
    const { tier, text } = calmWords(totals, leftOut);
    return (
      <p className="verdict calm" role="status" data-testid="verdict">
        <TierBadge tier={tier} />
        <span>{text}</span>
      </p>
    );
  }
  const { row, tier } = worst;
  const others = failing + degraded - 1;
  const turn = recentTurn(row.sparkline, row.success_rate, tier);
  // The fleet's sum is known where every application is listed.
  const share =
    totals.serviceErrors === 0 || leftOut > 0 ? 0 : row.outcomes.service_error / totals.serviceErrors;
  return (
    <p className="verdict" role="status" data-testid="verdict">
      <TierBadge tier={tier} />
      <span>
        <Link href={`/applications/${row.sdk_app_id.toString()}${windowSearch(window)}`}>
          <strong>{row.sdk_app_id}</strong>
        </Link>{' '}
        is at <strong>{formatSuccessRate(row.success_rate)}</strong> with{' '}
        <strong>{formatCount(row.outcomes.service_error)}</strong> service errors
        {share >= 0.05 && share < 0.995 && ` (${Math.round(share * 100).toString()} % of the fleet's)`}
        {row.worst_interface !== null && (
          <>
            , most in <code>{row.worst_interface.interface}</code>
          </>
        )}
        .{turn?.kind === 'recovered' && ' It has recovered since.'}
        {others > 0 && ` ${formatQuantity(others, 'more application')} in trouble.`}
      </span>
    </p>
  );
}

function outcomesOf(totals: FleetTotals) {
  const judged = totals.requests - totals.callerErrors - totals.unknown;
  return {
    success: judged - totals.serviceErrors,
    caller_error: totals.callerErrors,
    service_error: totals.serviceErrors,
    unknown: totals.unknown,
  };
}
