/*
 * Whether anything is broken, and for which application, in one sentence; then the totals.
 */
import { Link } from 'wouter';
import { Count, PerSecond, SuccessRate, TierBadge } from '../../parts/figure.js';
import { formatCount, formatSuccessRate } from '../../words/format-number.js';
import { windowSearch } from '../../state/page-state.js';
import type { TimeWindow } from '../../state/time-window.js';
import { texts } from '../../words/texts.js';
import { calmVerdict } from './calm-verdict.js';
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
    <section className="summary" aria-label={texts.fleet.summary}>
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
          <dt>{texts.fleet.inTrouble}</dt>
          <dd data-testid="fleet-trouble" data-value={trouble}>
            {trouble}
            <small>{texts.fleet.ofApplications(totals.applications + leftOut)}</small>
          </dd>
        </div>
        <div>
          <dt>{texts.figure.successRate}</dt>
          <dd>
            <SuccessRate
              of={{ success_rate: totals.successRate, outcomes: outcomesOf(totals) }}
              testId="fleet-success-rate"
            />
          </dd>
        </div>
        <div>
          <dt>{texts.figure.serviceErrors}</dt>
          <dd>
            <Count value={totals.serviceErrors} unit="serviceErrors" testId="fleet-service-errors" />
          </dd>
        </div>
        <div>
          <dt>{texts.figure.requests}</dt>
          <dd>
            <Count value={totals.requests} testId="fleet-requests" />
            <small>
              {' '}
              <PerSecond value={totals.requestsPerS} testId="fleet-requests-per-s" /> {texts.figure.perS}
            </small>
          </dd>
        </div>
      </dl>
      {leftOut > 0 && <p className="quiet totals-note">{texts.fleet.totalsNote(totals.applications)}</p>}
    </div>
  );
}

function Verdict({ totals, leftOut, worst, window }: Props) {
  const { failing, degraded } = totals.tiers;
  if (worst === undefined) {
    const { tier, text } = calmVerdict(totals, leftOut);
    return (
      <p className="verdict calm" role="status" data-testid="verdict">
        <TierBadge tier={tier} />
        <span>{text}</span>
      </p>
    );
  }
  const { row, tier } = worst;
  const turn = recentTurn(row.sparkline, row.success_rate, tier);
  // The fleet's sum is known where every application is listed.
  const share =
    totals.serviceErrors === 0 || leftOut > 0 ? 0 : row.outcomes.service_error / totals.serviceErrors;
  return (
    <p className="verdict" role="status" data-testid="verdict">
      <TierBadge tier={tier} />
      <span>
        {texts.fleet.verdict({
          application: (
            <Link
              title={row.sdk_app_id.toString()}
              href={`/applications/${row.sdk_app_id.toString()}${windowSearch(window)}`}
            >
              <strong>{row.name === '' ? row.sdk_app_id : row.name}</strong>
            </Link>
          ),
          rate: <strong>{formatSuccessRate(row.success_rate)}</strong>,
          serviceErrors: <strong>{formatCount(row.outcomes.service_error)}</strong>,
          sharePercent: share >= 0.05 && share < 0.995 ? Math.round(share * 100) : null,
          worstInterface: row.worst_interface === null ? null : <code>{row.worst_interface.interface}</code>,
          isRecovered: turn?.kind === 'recovered',
          othersInTrouble: failing + degraded - 1,
        })}
      </span>
    </p>
  );
}

function outcomesOf(totals: FleetTotals) {
  const rated = totals.requests - totals.callerErrors - totals.unknown;
  return {
    success: rated - totals.serviceErrors,
    caller_error: totals.callerErrors,
    service_error: totals.serviceErrors,
    unknown: totals.unknown,
  };
}
