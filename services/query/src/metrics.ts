/*
 * The metrics of the query service.
 */
import { createHttpMetrics } from '@imscope/runtime/http-metrics.js';
import { SECONDS_BUCKETS } from '@imscope/runtime/metrics.js';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type QueryMetrics = ReturnType<typeof createMetrics>;

/** @param observed read at each scrape: queries running and waiting, memory of answers */
export function createMetrics(
  registry: Registry,
  observed: {
    storeQueriesInFlight: () => number;
    storeQueriesWaiting: () => number;
    answerBytesReserved?: () => number;
    answersWaiting?: () => number;
  },
) {
  const common = (name: string, help: string) => ({
    name: `imscope_query_${name}`,
    help,
    registers: [registry],
  });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      ...common(name, help),
      collect() {
        this.set(read());
      },
    });
  gauge('store_queries_in_flight', 'questions with the store', observed.storeQueriesInFlight);
  gauge('store_queries_waiting', 'questions waiting for their turn', observed.storeQueriesWaiting);
  gauge(
    'answer_reserved_bytes',
    'memory reserved for answers, of ANSWER_MEMORY_BYTES_MAX',
    observed.answerBytesReserved ?? (() => 0),
  );
  gauge('answers_waiting', 'requests waiting for memory', observed.answersWaiting ?? (() => 0));
  return {
    ...createHttpMetrics(registry, 'query'),
    storeSeconds: new Histogram({
      ...common('store_query_seconds', 'time with the store, by question'),
      labelNames: ['question'] as const,
      buckets: SECONDS_BUCKETS,
    }),
    storeRowsRead: new Counter({
      ...common('store_rows_read_total', 'rows the store read, by question'),
      labelNames: ['question'] as const,
    }),
    tailDropped: new Counter({
      ...common('tail_dropped_total', 'requests that live tails did not show, by reason'),
      labelNames: ['reason'] as const,
    }),
    refused: new Counter({
      ...common('refused_total', 'callers turned away, by reason'),
      labelNames: ['reason'] as const,
    }),
  };
}
