/* Logger and metrics of all simulated processes: real ones without a reader. */
import { Writable } from 'node:stream';
import { createLogger } from '@imscope/runtime/logger.js';
import { Registry } from 'prom-client';
import { createAggregatorMetrics } from '../../src/metrics.js';

export const LOGGER = createLogger(
  'simulated',
  'silent',
  new Writable({ write: (_chunk, _encoding, done) => done() }),
);
export const METRICS = createAggregatorMetrics(new Registry());
