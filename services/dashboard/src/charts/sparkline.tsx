/*
 * Success rate and volume of one application over the window, small.
 */
import { DEGRADED_FROM, FAILING_FROM } from '@imscope/schemas/health.js';
import type { SparkPoint } from '@imscope/schemas/query-api/applications.js';
import { memo, useMemo } from 'react';
import { type SparklineShape, sparklineShape } from './sparkline-path.js';
import { formatSuccessRate } from '../words/format-number.js';
import { texts } from '../words/texts.js';

const BOX = { width: 180, rateHeight: 17, gap: 3, volumeHeight: 12 };
const HEIGHT = BOX.rateHeight + BOX.gap + BOX.volumeHeight;

export const Sparkline = memo(function Sparkline({ points }: { readonly points: readonly SparkPoint[] }) {
  const shape = useMemo(() => sparklineShape(points, BOX), [points]);
  const { worst } = shape;
  const label = texts.chart.sparkline.withVolume(rateText(shape));
  const barWidth = Math.max((BOX.width / Math.max(points.length, 1)) * 0.7, 0.8);
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${BOX.width.toString()} ${HEIGHT.toString()}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <title>{label}</title>
      <path className="spark-volume" d={shape.volume} strokeWidth={barWidth} />
      <path className="spark-rate" d={shape.rate} />
      {worst !== null && (
        <circle
          className={worst.rate < 1 - FAILING_FROM ? 'spark-worst bad' : 'spark-worst warn'}
          cx={worst.x}
          cy={worst.y}
          r="2.200"
        />
      )}
    </svg>
  );
});

function rateText({ rate, worst }: SparklineShape): string {
  const words = texts.chart.sparkline;
  if (rate === '') return words.noRate;
  if (worst !== null) return words.downTo(formatSuccessRate(worst.rate));
  return words.steady(formatSuccessRate(1 - DEGRADED_FROM));
}
