/* Creates the metrics of the collector: with one prefix, in the prom-client registry that is scraped. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type MetricMaker = ReturnType<typeof metricMaker>;

export function metricMaker(registry: Registry) {
  const common = (name: string, help: string) => ({
    name: `imscope_collector_${name}`,
    help,
    registers: [registry],
  });
  return {
    counter: <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
      new Counter({ ...common(name, help), labelNames }),
    histogram: (name: string, help: string, buckets: number[]): Histogram =>
      new Histogram({ ...common(name, help), buckets }),
    /** @param read called at every scrape */
    gauge: (name: string, help: string, read: () => number): void => {
      const gauge: Gauge = new Gauge({ ...common(name, help), collect: () => gauge.set(read()) });
    },
    /** @param fill called at every scrape, with the gauge empty */
    labelledGauge: <L extends string>(
      name: string,
      help: string,
      labelNames: readonly L[],
      fill: (gauge: Gauge<L>) => void,
    ): void => {
      const gauge: Gauge<L> = new Gauge({
        ...common(name, help),
        labelNames,
        collect: () => {
          gauge.reset();
          fill(gauge);
        },
      });
    },
  };
}
