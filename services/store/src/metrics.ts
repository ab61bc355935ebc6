/*
 * What the store counts: statements by kind and result, rows and bytes in and out, sessions and lines.
 */
import { SECONDS_BUCKETS } from '@imscope/runtime/metrics.js';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { LANES, type Lane } from './session-pool.js';

export type StoreMetrics = {
  readonly queries: Counter<'kind' | 'result'>;
  readonly querySeconds: Histogram<'kind'>;
  readonly insertedRows: Counter;
  readonly insertedBytes: Counter;
  readonly resultBytes: Counter;
};

/** @param state of a lane at the time of asking @param spoolBytes bytes of bodies there now */
export function createStoreMetrics(
  registry: Registry,
  state: (lane: Lane) => { busy: number; waiting: number },
  spoolBytes: () => number,
): StoreMetrics {
  const registers = [registry];
  const laneGauge = (name: string, help: string, value: (lane: Lane) => number): void => {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['lane'],
      registers: [],
      collect() {
        for (const lane of LANES) this.set({ lane }, value(lane));
      },
    });
    registry.registerMetric(gauge);
  };
  laneGauge('imscope_store_sessions_busy', 'sessions that run a statement', (lane) => state(lane).busy);
  laneGauge('imscope_store_queue_length', 'requests that wait for a session', (lane) => state(lane).waiting);
  const spool = new Gauge({
    name: 'imscope_store_spool_bytes',
    help: 'bytes of request bodies that wait for the engine or are being read by it',
    registers: [],
    collect() {
      this.set(spoolBytes());
    },
  });
  registry.registerMetric(spool);
  return {
    queries: new Counter({
      name: 'imscope_store_queries_total',
      help: 'statements by kind and by result: ok, refused (4xx), failed (5xx), cancelled',
      labelNames: ['kind', 'result'],
      registers,
    }),
    querySeconds: new Histogram({
      name: 'imscope_store_query_seconds',
      help: 'from the whole request to the end of the answer',
      labelNames: ['kind'],
      buckets: SECONDS_BUCKETS,
      registers,
    }),
    insertedRows: new Counter({
      name: 'imscope_store_inserted_rows_total',
      help: 'rows written by inserts',
      registers,
    }),
    insertedBytes: new Counter({
      name: 'imscope_store_inserted_body_bytes_total',
      help: 'bytes of data of inserts, decompressed',
      registers,
    }),
    resultBytes: new Counter({
      name: 'imscope_store_result_bytes_total',
      help: 'bytes of results before compression',
      registers,
    }),
  };
}
