/* Creates the live tails with their metrics. */
import type { Registry } from 'prom-client';
import { metricMaker } from '../metrics/metric-maker.js';
import { type DropReason, Taps } from './taps.js';

export function createTaps(registry: Registry): Taps {
  const metrics = metricMaker(registry);
  const shown = metrics.counter('tap_lines_total', 'records shown by taps, one for each tap');
  const dropped = metrics.counter(
    'tap_dropped_total',
    'records a tap did not show: rate, over its rate; reader, earlier lines are not read yet',
    ['reason'],
  );
  const taps = new Taps({
    onShown: () => shown.inc(),
    onDropped: (reason: DropReason) => dropped.inc({ reason }),
  });
  metrics.gauge('taps', 'open taps', () => taps.size);
  return taps;
}
