/*
 * The metrics of streams that are open.
 */
import { Gauge, type Registry } from 'prom-client';

/** @param open read at each scrape */
export function addStreamMetrics(
  registry: Registry,
  open: { readonly exportsOpen: () => number; readonly tailsOpen: () => number },
): void {
  for (const [name, help, read] of [
    ['exports_open', 'exports that are sent', open.exportsOpen],
    ['tails_open', 'live tails', open.tailsOpen],
  ] as const) {
    const gauge: Gauge = new Gauge({
      name: `imscope_query_${name}`,
      help,
      registers: [registry],
      collect: () => gauge.set(read()),
    });
  }
}
