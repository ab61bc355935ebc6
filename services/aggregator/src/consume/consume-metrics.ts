/* Metrics of consuming and storing, for Prometheus. */
import { SECONDS_BUCKETS } from '@imscope/runtime/metrics.js';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** How far the partitions' logs are read. */
function createReadingMetrics(registry: Registry) {
  const registers = [registry];
  const counter = (name: string, help: string) =>
    new Counter({ name, help, labelNames: ['topic'], registers });
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ['topic', 'partition'], registers });
  return {
    messages: counter('imscope_aggregator_messages_total', 'messages received from Kafka'),
    offsetGaps: counter(
      'imscope_aggregator_offset_gaps_total',
      'times that messages were deleted before they were read',
    ),
    holes: counter(
      'imscope_aggregator_offset_holes_total',
      'offsets that hold no message: control records and aborted messages of transactions, compaction',
    ),
    refetches: counter(
      'imscope_aggregator_refetches_total',
      'fetches from the same place again, because the Kafka client had skipped messages',
    ),
    markers: counter('imscope_aggregator_markers_total', 'markers appended'),
    lag: gauge(
      'imscope_aggregator_consumer_lag_messages',
      'messages before the end of the log that are not consumed',
    ),
    stalledSeconds: gauge(
      'imscope_aggregator_stalled_seconds',
      'time since the last progress of a partition that has something to read or to store; 0 without',
    ),
  };
}

export function createConsumeMetrics(registry: Registry) {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers });
  return {
    ...createReadingMetrics(registry),
    rowsStored: counter('imscope_aggregator_rows_stored_total', 'rows inserted and in the ledger', ['topic']),
    blocks: counter('imscope_aggregator_blocks_total', 'blocks stored, by what ended them', ['topic', 'cut']),
    duplicates: counter(
      'imscope_aggregator_duplicate_rows_total',
      'rows left out: their batch was stored before',
      ['topic'],
    ),
    dead: counter('imscope_aggregator_dead_messages_total', 'messages sent to the dead-letter topic', [
      'topic',
      'reason',
    ]),
    troubles: counter(
      'imscope_aggregator_store_troubles_total',
      'failed tries to store, by what is done about it',
      ['verdict'],
    ),
    lost: counter(
      'imscope_aggregator_partitions_lost_total',
      'blocks given up because the partition went to another owner',
      ['topic'],
    ),
    storeSeconds: new Histogram({
      name: 'imscope_aggregator_store_block_seconds',
      help: 'from cut to committed',
      labelNames: ['topic'],
      buckets: SECONDS_BUCKETS,
      registers,
    }),
    ageSeconds: new Histogram({
      name: 'imscope_aggregator_stored_age_seconds',
      help: 'age of the oldest message of a block, since the broker appended it, when it was stored',
      labelNames: ['topic'],
      buckets: SECONDS_BUCKETS,
      registers,
    }),
  };
}

export type ConsumeMetrics = ReturnType<typeof createConsumeMetrics>;
