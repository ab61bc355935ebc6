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
import type { ApplicationRow, FleetTotals } from '@imscope/schemas/query-api/applications.js';
import { recentTurn } from './recent-turn.js';

type Props = {
  readonly totals: FleetTotals;
  /** undefined: none is in trouble. */
  readonly worst: ApplicationRow | undefined;
  readonly window: TimeWindow;
};

export function FleetSummary({ totals, worst, window }: Props) {
  return (
    <section className="summary" aria-label={texts.fleet.summary}>
      <Verdict totals={totals} worst={worst} window={window} />
      <Totals totals={totals} />
    </section>
  );
}

function Totals({ totals }: Pick<Props, 'totals'>) {
  const trouble = totals.tiers.failing + totals.tiers.degraded;
  return (
    <div>
      <dl className="totals">
        <div>
          <dt>{texts.fleet.inTrouble}</dt>
          <dd data-testid="fleet-trouble" data-value={trouble}>
            {trouble}
            <small>{texts.fleet.ofApplications(totals.applications)}</small>
          </dd>
        </div>
        <div>
          <dt>{texts.figure.successRate}</dt>
          <dd>
            <SuccessRate of={totals} testId="fleet-success-rate" />
          </dd>
        </div>
        <div>
          <dt>{texts.figure.serviceErrors}</dt>
          <dd>
            <Count value={totals.outcomes.service_error} unit="serviceErrors" testId="fleet-service-errors" />
          </dd>
        </div>
        <div>
          <dt>{texts.figure.requests}</dt>
          <dd>
            <Count value={totals.requests} testId="fleet-requests" />
            <small>
              {' '}
              <PerSecond value={totals.requests_per_s} testId="fleet-requests-per-s" /> {texts.figure.perS}
            </small>
          </dd>
        </div>
      </dl>
    </div>
  );
}

function Verdict({ totals, worst, window }: Props) {
  const { failing, degraded } = totals.tiers;
  if (worst === undefined) {
    const { tier, text } = calmVerdict(totals);
    return (
      <p className="verdict calm" role="status" data-testid="verdict">
        <TierBadge tier={tier} />
        <span>{text}</span>
      </p>
    );
  }
  const { tier, text } = worst.health;
  const turn = recentTurn(worst.sparkline, worst.success_rate, tier);
  const errors = totals.outcomes.service_error;
  const share = errors === 0 ? 0 : worst.outcomes.service_error / errors;
  return (
    <p className="verdict" role="status" data-testid="verdict">
      <TierBadge tier={tier} why={text} />
      <span>
        {texts.fleet.verdict({
          application: (
            <Link
              title={worst.sdk_app_id.toString()}
              href={`/applications/${worst.sdk_app_id.toString()}${windowSearch(window)}`}
            >
              <strong>{worst.name === '' ? worst.sdk_app_id : worst.name}</strong>
            </Link>
          ),
          rate: <strong>{formatSuccessRate(worst.success_rate)}</strong>,
          serviceErrors: <strong>{formatCount(worst.outcomes.service_error)}</strong>,
          sharePercent: share >= 0.05 && share < 0.995 ? Math.round(share * 100) : null,
          worstInterface:
            worst.worst_interface === null ? null : <code>{worst.worst_interface.interface}</code>,
          isRecovered: turn?.kind === 'recovered',
          othersInTrouble: failing + degraded - 1,
        })}
      </span>
    </p>
  );
}
