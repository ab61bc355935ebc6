/*
 * One application of the fleet: success rate, errors, delay and worst interface.
 */
import type { ApplicationRow } from '@imscope/schemas/query-api/applications.js';
import type { MouseEvent } from 'react';
import { Link } from 'wouter';
import { ApplicationLabel } from '../../parts/application-label.js';
import { Count, Duration, PerSecond, SuccessRate, TierBadge, toneOf } from '../../parts/figure.js';
import { ABSENT, formatSuccessRate } from '../../words/format-number.js';
import { formatSpan, formatUtc } from '../../words/format-time.js';
import { texts } from '../../words/texts.js';
import { whyNoRate } from '../../words/why-no-rate.js';
import { ShareBar } from '../../parts/share-bar.js';
import { recentTurn } from './recent-turn.js';
import { Sparkline } from '../../charts/sparkline.js';

/** An application silent for longer than this at the window's end is said to be quiet. */
const QUIET_MS = 300_000;

type Props = {
  readonly row: ApplicationRow;
  /** Its place in the order, from 1. */
  readonly rank: number;
  readonly href: string;
  readonly serviceErrorsMax: number;
  readonly windowEndMs: number;
  readonly onOpen: (event: MouseEvent<HTMLElement>, href: string) => void;
};

export function FleetRow({ row, rank, href, serviceErrorsMax, windowEndMs, onOpen }: Props) {
  const { tier, text } = row.health;
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
        {tier !== 'healthy' && <TierBadge tier={tier} why={text} />}
        <QuietTag lastSeen={row.last_seen} windowEndMs={windowEndMs} />
        <ApplicationLabel of={row} />
      </th>
      <td role="cell" className="number" data-label={texts.figure.successRate}>
        <SuccessRate of={row} tier={tier} testId={`fleet-success-rate-${id}`} />
        <TurnNote row={row} />
      </td>
      <td role="cell" className="number errors" data-label={texts.figure.serviceErrors}>
        <ShareBar share={serviceErrorsMax === 0 ? 0 : errors / serviceErrorsMax} tone="bad" />
        <Count value={errors} unit="serviceErrors" testId={`fleet-service-errors-${id}`} />
      </td>
      <td role="cell" className="number" data-label={texts.figure.requestsPerS}>
        <PerSecond value={row.requests_per_s} testId={`fleet-requests-per-s-${id}`} />
        <span hidden data-testid={`fleet-requests-${id}`} data-value={row.requests} />
      </td>
      {PERCENTILES.map((name) => (
        <td key={name} role="cell" className="number" data-label={texts.fleet.column[name].label}>
          <Duration value={row.latency_ms[name]} testId={`fleet-${name}-${id}`} />
        </td>
      ))}
      <td role="cell" className="worst" data-label={texts.fleet.worstInterface}>
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
    <small className="quiet-tag" title={texts.fleet.lastRequest(formatUtc(Date.parse(lastSeen)))}>
      {texts.fleet.quiet(formatSpan(quietMs))}
    </small>
  );
}

/** Where the window's end differs from the window: an average hides both a beginning and an end. */
function TurnNote({ row }: { readonly row: ApplicationRow }) {
  const turn = recentTurn(row.sparkline, row.success_rate, row.health.tier);
  if (turn === null) return null;
  const words = texts.fleet.turn;
  const rate = formatSuccessRate(turn.rate);
  return (
    <small className={`turn ${turn.kind}`} title={words.title(rate)}>
      {turn.kind === 'recovered' ? words.recovered : words.worse(rate)}
    </small>
  );
}

function WorstInterface({ row }: { readonly row: ApplicationRow }) {
  const { worst_interface: worst, success_rate: rate, outcomes } = row;
  if (worst === null) {
    const why = rate === null ? whyNoRate(outcomes) : texts.fleet.noServiceErrors;
    return (
      <abbr className="dim" title={why}>
        {rate === null ? ABSENT : texts.fleet.none}
      </abbr>
    );
  }
  return (
    <span title={texts.fleet.errorsIn(worst.service_errors, worst.interface)}>
      <span className="dim num">{formatSuccessRate(worst.success_rate)}</span> <code>{worst.interface}</code>
    </span>
  );
}
