/* The figures of taps. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { type DropReason, Taps } from './taps.js';

export function createTaps(registry: Registry): Taps {
  const registers = [registry];
  const shown = new Counter({
    name: 'imscope_collector_tap_lines_total',
    help: 'records shown by taps, one for each tap',
    registers,
  });
  const dropped = new Counter<'reason'>({
    name: 'imscope_collector_tap_dropped_total',
    help: 'records a tap did not show: rate, more than it may; reader, what was shown before is not taken up yet',
    labelNames: ['reason'],
    registers,
  });
  const taps = new Taps({
    onShown: () => shown.inc(),
    onDropped: (reason: DropReason) => dropped.inc({ reason }),
  });
  const open: Gauge = new Gauge({
    name: 'imscope_collector_taps',
    help: 'open taps',
    registers,
    collect: () => open.set(taps.size),
  });
  return taps;
}
