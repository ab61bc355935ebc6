/* Requests and their durations by route, the same in every HTTP service with an API. */
import type { FastifyInstance } from 'fastify';
import { Counter, Histogram, type Registry } from 'prom-client';
import { SECONDS_BUCKETS } from './metrics.js';

export type HttpMetrics = {
  readonly requests: Counter<'route' | 'status'>;
  readonly requestSeconds: Histogram<'route'>;
};

/** @param service as in the names of its other metrics */
export function createHttpMetrics(registry: Registry, service: string): HttpMetrics {
  const registers = [registry];
  return {
    requests: new Counter({
      name: `imscope_${service}_requests_total`,
      help: 'requests answered, by route and HTTP status',
      registers,
      labelNames: ['route', 'status'],
    }),
    requestSeconds: new Histogram({
      name: `imscope_${service}_request_seconds`,
      help: 'from the head of a request to the end of its answer',
      registers,
      labelNames: ['route'],
      buckets: SECONDS_BUCKETS,
    }),
  };
}

/** Counts every answer of `app`. Routes, not addresses, so that the number of series is bounded. */
export function countRequests(app: FastifyInstance, metrics: HttpMetrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.requests.inc({ route, status: String(reply.statusCode) });
    metrics.requestSeconds.observe({ route }, reply.elapsedTime / 1000);
  });
}
