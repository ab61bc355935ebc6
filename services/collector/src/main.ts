/*
 * The collector's process: gateways' request logs in over HTTP, Avro containers out to Kafka.
 */
import { runService } from '@imscope/runtime/service.js';
import { startCollector } from './collector.js';
import { COLLECTOR_SETTINGS } from './config.js';

await runService(
  {
    name: 'collector',
    settings: COLLECTOR_SETTINGS,
    dependencies: ['kafka'],
    start: startCollector,
  },
  process,
);
