/*
 * The application over time: requests by outcome, success rate, delays. One cursor for all three; dragging over a
 * span zooms the page into it.
 */
import { useMemo } from 'react';
import { toBuckets } from '../../charts/buckets.js';
import { delaySeries, outcomeSeries, rateFloor, successRateSeries } from '../../charts/chart-series.js';
import { TimeChart } from '../../charts/time-chart.js';
import {
  ABSENT,
  formatCount,
  formatDuration,
  formatRate,
  formatSuccessRate,
} from '../../words/format-number.js';
import { Failure } from '../../parts/panel.js';
import { texts } from '../../words/texts.js';
import { absoluteWindow, type TimeWindow } from '../../state/time-window.js';
import type { StateOf } from '../../api/use-answer.js';

const HEIGHT = 190;
const CURSOR_KEY = 'application';

type Props = { readonly state: StateOf<'timeseries'>; readonly onWindow: (window: TimeWindow) => void };

export function ApplicationCharts({ state, onWindow }: Props) {
  const { answer, error, stale } = state;
  return (
    <section
      aria-label={texts.chart.overTime}
      data-testid="charts"
      className={stale ? 'stale' : undefined}
      aria-busy={stale}
    >
      {error !== null && <Failure error={error} state={state} />}
      {answer === null ? (
        error === null && (
          <div className="charts">
            <div className="panel chart-wait" />
            <div className="panel chart-wait" />
            <div className="panel chart-wait" />
          </div>
        )
      ) : (
        <Charts answer={answer} onWindow={onWindow} />
      )}
    </section>
  );
}

type ChartsProps = {
  readonly answer: NonNullable<StateOf<'timeseries'>['answer']>;
  readonly onWindow: (window: TimeWindow) => void;
};

function Charts({ answer, onWindow }: ChartsProps) {
  const shaped = useMemo(() => {
    const buckets = toBuckets(answer.data, answer.window);
    const rate = successRateSeries(buckets);
    const span = [Date.parse(answer.window.from) / 1000, Date.parse(answer.window.to) / 1000] as const;
    return {
      buckets,
      span,
      outcomes: outcomeSeries(buckets),
      rate,
      floor: rateFloor(rate),
      delays: delaySeries(buckets),
    };
  }, [answer]);
  const shared = {
    buckets: shaped.buckets,
    span: shaped.span,
    height: HEIGHT,
    cursorKey: CURSOR_KEY,
    onZoom: (fromMs: number, toMs: number) => {
      onWindow(absoluteWindow(fromMs, toMs));
    },
  };
  return (
    <div className="charts">
      <div className="panel">
        <TimeChart
          {...shared}
          title={texts.chart.requestsPerSecond}
          kind="bars"
          series={shaped.outcomes}
          range={fromZero}
          tick={countTick}
          read={readRate}
          testId="chart-requests"
        />
      </div>
      <div className="panel">
        <TimeChart
          {...shared}
          title={texts.chart.successRate}
          kind="lines"
          series={shaped.rate}
          range={() => [shaped.floor, 1 + (1 - shaped.floor) * 0.06]}
          tick={rateTick}
          read={formatSuccessRate}
          testId="chart-success-rate"
        />
      </div>
      <div className="panel">
        <TimeChart
          {...shared}
          title={texts.chart.delay}
          kind="lines"
          series={shaped.delays}
          range={fromZero}
          tick={formatDuration}
          read={formatDuration}
          testId="chart-delay"
        />
      </div>
    </div>
  );
}

const fromZero = (_min: number | null, max: number | null): [number, number] => [
  0,
  max === null || max <= 0 ? 1 : max * 1.08,
];
const readRate = (value: number | null): string => (value === null ? ABSENT : formatRate(value));

/** Ticks are round numbers without needless decimals. */
const countTick = (value: number): string =>
  value < 10_000 ? Number(value.toFixed(3)).toString() : formatCount(value);

/** Ticks of a success rate: as many decimals as it takes, nothing above 100 %. */
function rateTick(value: number): string {
  if (value > 1.0000001) return '';
  const percent = Number((value * 100).toFixed(3));
  return `${percent.toString()} %`;
}
