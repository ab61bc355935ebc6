/*
 * One application of the fleet: how it does, what it costs its callers, and where it hurts most.
 */
import type { MouseEvent } from 'react';
import { Link } from 'wouter';
import { Count, Duration, PerSecond, SuccessRate, TierBadge, toneOf } from '../figure.js';
import { formatSuccessRate } from '../format-number.js';
import { formatSpan, formatUtc } from '../format-time.js';
import { ShareBar } from '../share-bar.js';
import type { RankedApplication } from './fleet-order.js';
import { Sparkline } from './sparkline.js';

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
  const id = row.sdk_app_id.toString();
  const quietMs = windowEndMs - Date.parse(row.last_seen);
  const { worst_interface: worst } = row;
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
        {(tier === 'failing' || tier === 'degraded') && <TierBadge tier={tier} />}
        {quietMs > QUIET_MS && (
          <small className="quiet-tag" title={`Last request ${formatUtc(Date.parse(row.last_seen))}`}>
            quiet {formatSpan(quietMs)}
          </small>
        )}
      </th>
      <td role="cell" className="number" data-label="Success rate">
        <SuccessRate of={row} testId={`fleet-success-rate-${id}`} />
      </td>
      <td role="cell" className="number errors" data-label="Service errors">
        <ShareBar
          share={serviceErrorsMax === 0 ? 0 : row.outcomes.service_error / serviceErrorsMax}
          tone="bad"
        />
        <Count
          value={row.outcomes.service_error}
          unit="service errors"
          testId={`fleet-service-errors-${id}`}
        />
      </td>
      <td role="cell" className="number" data-label="Requests/s">
        <PerSecond value={row.requests_per_s} testId={`fleet-requests-per-s-${id}`} />
        <span hidden data-testid={`fleet-requests-${id}`} data-value={row.requests} />
      </td>
      <td role="cell" className="number" data-label="p50">
        <Duration value={row.latency_ms.p50} testId={`fleet-p50-${id}`} />
      </td>
      <td role="cell" className="number" data-label="p95">
        <Duration value={row.latency_ms.p95} testId={`fleet-p95-${id}`} />
      </td>
      <td role="cell" className="number" data-label="p99">
        <Duration value={row.latency_ms.p99} testId={`fleet-p99-${id}`} />
      </td>
      <td role="cell" className="worst" data-label="Worst interface">
        {worst === null ? (
          <span className="dim">none</span>
        ) : (
          <span title={`${worst.service_errors.toString()} service errors in ${worst.interface}`}>
            <code>{worst.interface}</code>{' '}
            <span className="dim num">{formatSuccessRate(worst.success_rate)}</span>
          </span>
        )}
      </td>
      <td role="cell" className="trend">
        <Sparkline points={row.sparkline} />
      </td>
    </tr>
  );
}
