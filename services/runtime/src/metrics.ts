/*
 * The Prometheus registry of a service, with the metrics of its process. Names follow
 * `imscope_<service>_<thing>_<unit>_total`.
 */
import { Registry, collectDefaultMetrics } from 'prom-client';

/** Upper bounds of histogram buckets for durations, in seconds: 1 ms to 30 s. */
export const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** A registry with process metrics, labelled with the service's name. */
export function createRegistry(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}
