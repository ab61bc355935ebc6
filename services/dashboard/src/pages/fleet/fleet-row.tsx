/*
 * One application of the fleet: how it does, what it costs its callers, and where it hurts most.
 */
import type { ApplicationRow } from '@imscope/schemas/query-api/answers.js';
import type { MouseEvent } from 'react';
import { Link } from 'wouter';
import { Count, Duration, PerSecond, SuccessRate, TierBadge, toneOf } from '../../parts/figure.js';
import { ABSENT, formatExact, formatSuccessRate } from '../../words/format-number.js';
import { formatSpan, formatUtc } from '../../words/format-time.js';
import { whyUnjudged } from '../../words/health-texts.js';
import { ShareBar } from '../../parts/share-bar.js';
import type { RankedApplication } from './fleet-order.js';
import { recentTurn } from './recent-turn.js';
import { Sparkline } from '../../charts/sparkline.js';

/** An application silent for longer than this at the window's end is said to be quiet. */
const QUIET_MS = 300_000;

type Props = {
  readonly application: RankedApplication;
  readonly href: string;
  readonly serviceErrorsMax: number;
  readonly windowEndMs: number;
  readonly onOpen: (event: MouseEvent<HTMLElement>, href: string) => void;
};

export function FleetRow({ application, href, serviceErrorsMax, windowEndMs, onOpen }: Props) {
  const { row, tier, rank } = application;
  const { service_error: errors } = row.outcomes;
  const id = row.sdk_app_id.toString();
  return (
    <tr
      role="row"
      className={`row ${toneOf(tier)}`}
      data-testid={`fleet-row-${id}`}
      data-value={tier}
      onClick={(event) => {
        onOpen(event, href);
      }}
    >
      <td role="cell" className="rank">
        {rank}
      </td>
      <th role="rowheader" scope="row" className="application">
        <Link href={href} className="row-link">
          {id}
        </Link>
        {tier !== 'healthy' && <TierBadge tier={tier} />}
        <QuietTag lastSeen={row.last_seen} windowEndMs={windowEndMs} />
      </th>
      <td role="cell" className="number" data-label="Success rate">
        <SuccessRate of={row} testId={`fleet-success-rate-${id}`} />
        <TurnNote application={application} />
      </td>
      <td role="cell" className="number errors" data-label="Service errors">
        <ShareBar share={serviceErrorsMax === 0 ? 0 : errors / serviceErrorsMax} tone="bad" />
        <Count value={errors} unit="service errors" testId={`fleet-service-errors-${id}`} />
      </td>
      <td role="cell" className="number" data-label="Requests/s">
        <PerSecond value={row.requests_per_s} testId={`fleet-requests-per-s-${id}`} />
        <span hidden data-testid={`fleet-requests-${id}`} data-value={row.requests} />
      </td>
      {PERCENTILES.map((name) => (
        <td key={name} role="cell" className="number" data-label={name}>
          <Duration value={row.latency_ms[name]} testId={`fleet-${name}-${id}`} />
        </td>
      ))}
      <td role="cell" className="worst" data-label="Worst interface">
        <WorstInterface row={row} />
      </td>
      <td role="cell" className="trend">
        <Sparkline points={row.sparkline} />
      </td>
    </tr>
  );
}

const PERCENTILES = ['p50', 'p95', 'p99'] as const;

type QuietProps = { readonly lastSeen: string; readonly windowEndMs: number };

function QuietTag({ lastSeen, windowEndMs }: QuietProps) {
  const quietMs = windowEndMs - Date.parse(lastSeen);
  // Also where one of the two is no time.
  if (!(quietMs > QUIET_MS)) return null;
  return (
    <small className="quiet-tag" title={`Last request ${formatUtc(Date.parse(lastSeen))}`}>
      quiet {formatSpan(quietMs)}
    </small>
  );
}

/** Where the window's end differs from the whole: an average hides both a beginning and an end. */
function TurnNote({ application }: { readonly application: RankedApplication }) {
  const { row, tier } = application;
  const turn = recentTurn(row.sparkline, row.success_rate, tier);
  if (turn === null) return null;
  const title = `In the last twelfth of the window: about ${formatSuccessRate(turn.rate)}`;
  return (
    <small className={`turn ${turn.kind}`} title={title}>
      {turn.kind === 'recovered' ? '✓ recovered' : `↓ last ${formatSuccessRate(turn.rate)}`}
    </small>
  );
}

function WorstInterface({ row }: { readonly row: ApplicationRow }) {
  const { worst_interface: worst, success_rate: rate, outcomes } = row;
  if (worst === null) {
    const why = rate === null ? whyUnjudged(outcomes) : 'No interface had a service error';
    return (
      <abbr className="dim" title={why}>
        {rate === null ? ABSENT : 'none'}
      </abbr>
    );
  }
  return (
    <span title={`${formatExact(worst.service_errors)} service errors in ${worst.interface}`}>
      <span className="dim num">{formatSuccessRate(worst.success_rate)}</span> <code>{worst.interface}</code>
    </span>
  );
}
