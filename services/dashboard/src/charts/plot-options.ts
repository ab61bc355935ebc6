/*
 * Options of a uPlot chart: quiet grid, local time below, one cursor for all charts of a page, and an event for a span
 * that was dragged over.
 */
import uPlot from 'uplot';
import { LOCALE } from '../words/locale.js';
import type { Palette } from './palette.js';
import type { ChartSeries } from './chart-series.js';

export type PlotKind = 'bars' | 'lines';

export type PlotStyle = {
  readonly kind: PlotKind;
  readonly height: number;
  readonly palette: Palette;
  /** The y axis: least and greatest value, and how they read. */
  readonly range: (min: number | null, max: number | null) => [number, number];
  readonly tick: (value: number) => string;
  /** Charts of one key share a cursor. */
  readonly cursorKey: string;
};

export type PlotEvents = {
  readonly onCursor: (index: number | null) => void;
  /** A span was dragged over; seconds since 1970. */
  readonly onSpan: (fromS: number, toS: number) => void;
  /** The x axis: seconds since 1970. */
  readonly span: () => [number, number];
};

const FONT = '11px system-ui, sans-serif';
const DRAG_MIN_PX = 6;

export function plotOptions(
  series: readonly ChartSeries[],
  style: PlotStyle,
  events: PlotEvents,
  width: number,
): uPlot.Options {
  return {
    width,
    height: style.height,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: true, range: () => events.span() },
      y: { range: (_plot, min, max) => style.range(min, max) },
    },
    axes: axesOf(style),
    cursor: {
      x: true,
      y: false,
      points: style.kind === 'bars' ? { show: false } : { size: 7 },
      drag: { x: true, y: false, setScale: false, dist: DRAG_MIN_PX },
      sync: { key: style.cursorKey, setSeries: false },
    },
    hooks: {
      setCursor: [
        (plot) => {
          events.onCursor(plot.cursor.idx ?? null);
        },
      ],
      setSelect: [
        (plot) => {
          reportSpan(plot, events);
        },
      ],
    },
    series: [{}, ...series.map((one) => seriesOptions(one, style))],
  };
}

/** uPlot selects the span in every chart that shares the cursor: only the chart under the mouse reports it. */
function reportSpan(plot: uPlot, events: PlotEvents): void {
  const { left, width } = plot.select;
  if (width < DRAG_MIN_PX) return;
  const fromS = plot.posToVal(left, 'x');
  const toS = plot.posToVal(left + width, 'x');
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  // The other charts get the selection from the shared cursor, without a mouse event.
  if (plot.cursor.event instanceof MouseEvent) events.onSpan(fromS, toS);
}

function axesOf({ palette, tick }: PlotStyle): uPlot.Axis[] {
  const stroke = palette.colour('--text-quiet');
  const grid = { stroke: palette.colour('--chart-grid'), width: 1 };
  return [
    {
      stroke,
      font: FONT,
      size: 26,
      gap: 4,
      space: 64,
      grid: { show: false },
      ticks: { show: false },
      values: timeLabels,
    },
    {
      stroke,
      font: FONT,
      size: 56,
      gap: 6,
      space: 34,
      grid,
      ticks: { show: false },
      values: (_plot, splits) => splits.map((value) => tick(value)),
    },
  ];
}

const clock = new Intl.DateTimeFormat(LOCALE.dates, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const clockWithSeconds = new Intl.DateTimeFormat(LOCALE.dates, { timeStyle: 'medium', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat(LOCALE.dates, { day: 'numeric', month: 'short' });

/** Times of day, with the date where a day begins. */
function timeLabels(_plot: uPlot, splits: number[]): string[] {
  const dense = splits.length > 1 && (splits[1] ?? 0) - (splits[0] ?? 0) < 60;
  return splits.map((value) => {
    const at = value * 1000;
    const text = clock.format(at);
    return text === '00:00' ? day.format(at) : dense ? clockWithSeconds.format(at) : text;
  });
}

function seriesOptions(series: ChartSeries, { kind, palette }: PlotStyle): uPlot.Series {
  const colour = palette.colour(series.colour);
  if (kind === 'bars') {
    const paths = uPlot.paths.bars?.({ size: [0.86, 60], align: 0 });
    return {
      label: series.label,
      stroke: colour,
      fill: colour,
      width: 0,
      points: { show: false },
      ...(paths === undefined ? {} : { paths }),
    };
  }
  return {
    label: series.label,
    stroke: colour,
    width: 1.75,
    dash: [...series.dash],
    spanGaps: false,
    // A lone value between gaps has no line, so it gets a point.
    points: { size: 4, fill: colour, filter: loneValues },
  };
}

function loneValues(plot: uPlot, seriesIndex: number): number[] {
  const values = plot.data[seriesIndex] ?? [];
  const absent = (index: number): boolean => typeof values[index] !== 'number';
  return [...values.keys()].filter((index) => !absent(index) && absent(index - 1) && absent(index + 1));
}
