/*
 * One chart over time, drawn by uPlot. The legend is HTML: it names the series, shows their values at the cursor (or the
 * newest) and hides series. The arrow keys move the cursor. Keyboard users zoom with the window picker.
 */
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import { formatClock, formatMinute, formatUtc } from '../words/format-time.js';
import { texts } from '../words/texts.js';
import { type Bucket, middleS, snapToBuckets } from './buckets.js';
import { type ChartSeries, extentOf, stackSeries } from './chart-series.js';
import { usePalette } from './palette.js';
import { type PlotKind, plotOptions } from './plot-options.js';

export type TimeChartProps = {
  readonly title: string;
  readonly kind: PlotKind;
  readonly buckets: readonly Bucket[];
  /** Not yet stacked, bottom first. */
  readonly series: readonly ChartSeries[];
  /** Seconds since 1970. */
  readonly span: readonly [number, number];
  readonly height: number;
  readonly range: (min: number | null, max: number | null) => [number, number];
  readonly tick: (value: number) => string;
  readonly read: (value: number | null) => string;
  readonly cursorKey: string;
  readonly onZoom: (fromMs: number, toMs: number) => void;
  readonly testId: string;
};

export function TimeChart(props: TimeChartProps) {
  const { title, kind, buckets, series, read, testId } = props;
  const [hidden, setHidden] = useState<readonly string[]>([]);
  const [cursor, setCursor] = useState<number | null>(null);
  const heading = useId();
  const drawn = useMemo(() => {
    const visible = series.filter(({ key }) => !hidden.includes(key));
    // Bars cover each other, so the tallest is drawn first.
    return kind === 'bars' ? stackSeries(visible).toReversed() : visible;
  }, [series, hidden, kind]);
  const index = cursor !== null && cursor < buckets.length ? cursor : buckets.length - 1;
  const bucket = buckets[index];
  const toggle = (key: string): void => {
    const next = hidden.includes(key) ? hidden.filter((one) => one !== key) : [...hidden, key];
    // The last one stays: an empty chart shows nothing.
    if (next.length < series.length) setHidden(next);
  };
  return (
    <figure className="chart" aria-labelledby={heading} data-testid={testId} data-value={buckets.length}>
      <figcaption>
        <h3 id={heading}>{title}</h3>
        <p className="chart-at num">{bucket === undefined ? '' : bucketLabel(bucket, cursor === null)}</p>
      </figcaption>
      <ul className="legend">
        {series.map((one) => (
          <li key={one.key}>
            <button
              type="button"
              aria-pressed={!hidden.includes(one.key)}
              title={hidden.includes(one.key) ? texts.chart.show(one.label) : texts.chart.hide(one.label)}
              onClick={() => {
                toggle(one.key);
              }}
            >
              <SeriesMark series={one} kind={kind} />
              {one.label} <span className="num">{read(one.values[index] ?? null)}</span>
            </button>
          </li>
        ))}
      </ul>
      {extentOf(drawn) === null && <p className="plot-empty">{texts.chart.nothing}</p>}
      <Plot {...props} drawn={drawn} cursor={cursor} onCursor={setCursor} />
    </figure>
  );
}

function bucketLabel(bucket: Bucket, newest: boolean): string {
  const now = Date.now();
  const clock = bucket.toS - bucket.fromS < 60 ? formatClock : formatMinute;
  const span = texts.chart.span(clock(bucket.fromS * 1000, now), clock(bucket.toS * 1000, now));
  return newest ? texts.chart.newest(span) : span;
}

/** The series' colour in its own shape: a block, or a line with its dashes. */
function SeriesMark({ series, kind }: { readonly series: ChartSeries; readonly kind: PlotKind }) {
  const name = `series-mark ${series.key}`;
  return (
    <svg className={name} viewBox="0 0 18 8" aria-hidden="true">
      {kind === 'bars' ? (
        <rect x="4" width="10" height="8" rx="1.500" />
      ) : (
        <path d="M0 4h18" strokeDasharray={series.dash.map((dash) => dash * 0.7).join(' ')} />
      )}
    </svg>
  );
}

type PlotProps = TimeChartProps & {
  readonly drawn: readonly ChartSeries[];
  readonly cursor: number | null;
  readonly onCursor: (index: number | null) => void;
};

function Plot(props: PlotProps) {
  const { title, kind, buckets, drawn, series, height, tick, read, cursorKey, cursor } = props;
  const palette = usePalette();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const shape = drawn.map(({ key }) => key).join(' ');
  const data = useMemo(
    (): uPlot.AlignedData => [buckets.map(middleS), ...drawn.map(({ values }) => [...values])],
    [buckets, drawn],
  );

  useEffect(() => {
    const parent = box.current;
    if (parent === null) return undefined;
    const style = {
      kind,
      height,
      palette,
      range: (min: number | null, max: number | null) => latest.current.range(min, max),
      tick,
      cursorKey,
    };
    const events = {
      onCursor: (index: number | null) => {
        latest.current.onCursor(index);
      },
      onSpan: (fromS: number, toS: number) => {
        const snapped = snapToBuckets(latest.current.buckets, fromS, toS);
        if (snapped !== null) latest.current.onZoom(snapped.fromMs, snapped.toMs);
      },
      span: (): [number, number] => [latest.current.span[0], latest.current.span[1]],
    };
    const options = plotOptions(latest.current.drawn, style, events, Math.max(parent.clientWidth, 120));
    const made = new uPlot(options, [[]], parent);
    plot.current = made;
    const resizing = new ResizeObserver(() => {
      made.setSize({ width: Math.max(parent.clientWidth, 120), height });
    });
    resizing.observe(parent);
    return () => {
      resizing.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [kind, height, palette, tick, cursorKey, shape]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data, palette, shape]);

  return (
    <div
      ref={box}
      className="plot"
      role="img"
      tabIndex={0}
      aria-label={describe(title, series, read, buckets)}
      onKeyDown={(event) => {
        moveCursor(event, plot.current, cursor, buckets.length);
      }}
    />
  );
}

function moveCursor(event: KeyboardEvent, plot: uPlot | null, cursor: number | null, count: number): void {
  const move = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  if (plot === null || count === 0) return;
  if (event.key === 'Escape') plot.setCursor({ left: -10, top: -10 });
  if (move === 0) return;
  event.preventDefault();
  const next = Math.min(Math.max((cursor ?? count) + move, 0), count - 1);
  const at = plot.data[0][next];
  if (at !== undefined) plot.setCursor({ left: plot.valToPos(at, 'x'), top: 10 });
}

/** For those who cannot see the chart. */
function describe(
  title: string,
  series: readonly ChartSeries[],
  read: (value: number | null) => string,
  buckets: readonly Bucket[],
): string {
  const first = buckets[0];
  const last = buckets.at(-1);
  if (first === undefined || last === undefined) return texts.chart.noData(title);
  const described = series.map(({ label, values }) => {
    const extent = extentOf([{ values }]);
    if (extent === null) return texts.chart.seriesUnknown(label);
    return texts.chart.seriesExtent(label, read(extent.min), read(extent.max), read(values.at(-1) ?? null));
  });
  return texts.chart.described(title, formatUtc(first.fromS * 1000), formatUtc(last.toS * 1000), described);
}
