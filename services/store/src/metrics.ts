/* The store's metrics: statements by kind and result, rows and bytes in and out, sessions and queues. */
import { SECONDS_BUCKETS } from '@imscope/runtime/metrics.js';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { WORKLOADS, type Workload } from './session-pool.js';

export type StoreMetrics = {
  readonly queries: Counter<'kind' | 'result'>;
  readonly querySeconds: Histogram<'kind'>;
  readonly insertedRows: Counter;
  readonly insertedBytes: Counter;
  readonly resultBytes: Counter;
};

/** @param state present state of a workload @param scratchBytes present bytes of bodies in scratch files */
export function createStoreMetrics(
  registry: Registry,
  state: (workload: Workload) => { busy: number; waiting: number },
  scratchBytes: () => number,
): StoreMetrics {
  const registers = [registry];
  const workloadGauge = (name: string, help: string, value: (workload: Workload) => number): void => {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['lane'],
      registers: [],
      collect() {
        for (const workload of WORKLOADS) this.set({ lane: workload }, value(workload));
      },
    });
    registry.registerMetric(gauge);
  };
  workloadGauge(
    'imscope_store_sessions_busy',
    'sessions that run a statement',
    (workload) => state(workload).busy,
  );
  workloadGauge(
    'imscope_store_queue_length',
    'requests that wait for a session',
    (workload) => state(workload).waiting,
  );
  const scratch = new Gauge({
    name: 'imscope_store_spool_bytes',
    help: 'bytes of request bodies that wait for the engine or are being read by it',
    registers: [],
    collect() {
      this.set(scratchBytes());
    },
  });
  registry.registerMetric(scratch);
  return {
    queries: new Counter({
      name: 'imscope_store_queries_total',
      help: 'statements by kind and by result: ok, refused (4xx), failed (5xx), cancelled',
      labelNames: ['kind', 'result'],
      registers,
    }),
    querySeconds: new Histogram({
      name: 'imscope_store_query_seconds',
      help: 'seconds from the request to the end of its answer',
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
