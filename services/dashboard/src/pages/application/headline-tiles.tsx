/*
 * The application's figures in one row, each compared with the span of equal length just before.
 */
import { tierOf } from '@imscope/schemas/health.js';
import type { Overview } from '@imscope/schemas/query-api/overview.js';
import type { LatencySummary } from '@imscope/schemas/query-api/values.js';
import type { ReactNode } from 'react';
import { type Change, changeText, compareAmount, compareRate } from '../../words/change-text.js';
import { Count, Duration, PerSecond, SuccessRate, TierBadge } from '../../parts/figure.js';
import { formatCount, formatDuration, formatSuccessRate } from '../../words/format-number.js';
import { texts } from '../../words/texts.js';
import { whyNoRate } from '../../words/why-no-rate.js';
import { Failure } from '../../parts/panel.js';
import type { StateOf } from '../../api/use-answer.js';

const TILES = 7;
const DELAYS = [
  { key: 'p50', beside: 'avg' },
  { key: 'p95', beside: null },
  { key: 'p99', beside: 'max' },
] as const;

export function HeadlineTiles({ state }: { readonly state: StateOf<'overview'> }) {
  const { answer, error, stale } = state;
  return (
    <section
      aria-label={texts.application.headlineFigures}
      className={stale ? 'stale' : undefined}
      aria-busy={stale}
    >
      {error !== null && <Failure error={error} state={state} />}
      {answer === null ? (
        error === null && (
          <div className="tiles">
            {Array.from({ length: TILES }, (_, tile) => (
              <div className="tile wait" key={tile} />
            ))}
          </div>
        )
      ) : (
        <Tiles overview={answer.data} />
      )}
    </section>
  );
}

function Tiles({ overview }: { readonly overview: Overview }) {
  const { previous, outcomes, latency_ms: delay } = overview;
  const errors = outcomes.service_error;
  const before = previous.outcomes.service_error;
  // With nothing before, every comparison would be against zero.
  const had = previous.requests > 0;
  return (
    <div className="tiles">
      <Tile
        label={texts.figure.successRate}
        tone={tierOf(outcomes)}
        change={compareRate(overview.success_rate, previous.success_rate)}
        was={formatSuccessRate(previous.success_rate)}
        note={overview.success_rate === null ? whyNoRate(outcomes) : undefined}
      >
        <SuccessRate of={overview} testId="tile-success-rate" />
        <TierBadge tier={tierOf(outcomes)} />
      </Tile>
      <Tile
        label={texts.figure.serviceErrors}
        change={compareAmount(errors, had ? before : null, 'lower')}
        was={formatCount(before)}
      >
        <Count value={errors} unit="serviceErrors" testId="tile-service-errors" />
      </Tile>
      <Tile
        label={texts.figure.requests}
        change={compareAmount(overview.requests, had ? previous.requests : null, 'neither')}
        was={formatCount(previous.requests)}
      >
        <Count value={overview.requests} testId="tile-requests" />
        <small>
          <PerSecond value={overview.requests_per_s} testId="tile-requests-per-s" /> {texts.figure.perS}
        </small>
      </Tile>
      <Tile
        label={texts.figure.callerErrors}
        change={compareAmount(outcomes.caller_error, had ? previous.outcomes.caller_error : null, 'neither')}
        was={formatCount(previous.outcomes.caller_error)}
      >
        <Count value={outcomes.caller_error} unit="callerErrors" testId="tile-caller-errors" />
        {outcomes.unknown > 0 && (
          <small title={texts.application.unknown.title}>
            +<Count value={outcomes.unknown} unit="withoutCode" testId="tile-unknown" />{' '}
            {texts.application.unknown.unit}
            {overview.requests > 0 && texts.application.unknown.share(outcomes.unknown / overview.requests)}
          </small>
        )}
      </Tile>
      <DelayTiles now={delay} before={previous.latency_ms} />
    </div>
  );
}

type DelayProps = { readonly now: LatencySummary; readonly before: LatencySummary };

function DelayTiles({ now, before }: DelayProps) {
  return DELAYS.map(({ key, beside }) => (
    <Tile
      key={key}
      label={texts.application.delayOf(texts.chart.latency[key])}
      change={compareAmount(now[key], before[key], 'lower')}
      was={formatDuration(before[key])}
    >
      <Duration value={now[key]} testId={`tile-${key}`} />
      {beside !== null && (
        <small>
          {texts.chart.latency[beside]} <Duration value={now[beside]} testId={`tile-${beside}`} />
        </small>
      )}
    </Tile>
  ));
}

type TileProps = {
  readonly label: string;
  readonly change: Change;
  /** The figure of the span before. */
  readonly was: string;
  readonly tone?: string;
  readonly note?: string | undefined;
  readonly children: ReactNode;
};

function Tile({ label, change, was, tone = '', note, children }: TileProps) {
  return (
    <div className={`tile ${tone}`}>
      <h3>{label}</h3>
      <p className="tile-value">{children}</p>
      <p className={`tile-change ${change.verdict}`} title={texts.figure.change.against}>
        {note ?? changeText(change, was)}
      </p>
    </div>
  );
}
