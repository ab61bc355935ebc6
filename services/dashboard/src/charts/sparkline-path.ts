/*
 * Geometry of the fleet's sparklines: the success rate above, the volume below, on one time axis. Rates share one
 * scale that always covers the last percent, so a healthy application is a flat line on top and a dip is a dip.
 */
import { DEGRADED_FROM, FAILING_FROM } from '@imscope/schemas/health.js';
import type { SparkPoint } from '@imscope/schemas/query-api/applications.js';

export type SparklineShape = {
  /** Path of the rate; broken where there is no rate. */
  readonly rate: string;
  /** Path of the volume's bars. */
  readonly volume: string;
  /** The worst point below the healthy line that has more than an error or two. */
  readonly worst: { readonly x: number; readonly y: number; readonly rate: number } | null;
};

export type SparklineBox = {
  readonly width: number;
  readonly rateHeight: number;
  readonly gap: number;
  readonly volumeHeight: number;
};

const RATE_SPAN_MIN = FAILING_FROM;
const HEALTHY = 1 - DEGRADED_FROM;
/** A moment with fewer errors is not marked: one failure of ten requests may be chance. */
const MARKED_ERRORS_MIN = 3;

export function sparklineShape(points: readonly SparkPoint[], box: SparklineBox): SparklineShape {
  const slot = box.width / Math.max(points.length, 1);
  const rates = points.flatMap(({ success_rate: rate }) => (rate === null ? [] : [rate]));
  const span = Math.max(1 - Math.min(1, ...rates), RATE_SPAN_MIN);
  const requestsMax = Math.max(1, ...points.map(({ requests }) => requests));
  const base = box.rateHeight + box.gap + box.volumeHeight;
  let rate = '';
  let volume = '';
  let pen: 'up' | 'down' = 'up';
  let worst: SparklineShape['worst'] = null;
  for (const [index, point] of points.entries()) {
    const x = (index + 0.5) * slot;
    if (point.requests > 0) {
      const height = Math.max((point.requests / requestsMax) * box.volumeHeight, 0.75);
      volume += `M${text(x)} ${text(base)}v-${text(height)}`;
    }
    if (point.success_rate === null) {
      pen = 'up';
      continue;
    }
    const y = 1 + ((1 - point.success_rate) / span) * (box.rateHeight - 2);
    // A lone point between gaps still needs a dash of length to be seen.
    rate += pen === 'up' ? `M${text(x - slot / 4)} ${text(y)}H${text(x)}` : `L${text(x)} ${text(y)}`;
    pen = 'down';
    const errors = point.requests * (1 - point.success_rate);
    const isMarked = point.success_rate < HEALTHY && errors > MARKED_ERRORS_MIN - 0.5;
    if (isMarked && (worst === null || point.success_rate < worst.rate)) {
      worst = { x, y, rate: point.success_rate };
    }
  }
  return { rate, volume, worst };
}

function text(value: number): string {
  return value.toFixed(1);
}
