/* Settings of the aggregator. */
import { integer, type Settings, text } from '@imscope/runtime/config.js';
import { KAFKA_SETTINGS } from '@imscope/runtime/kafka-client.js';
import { STORE_SETTINGS } from '@imscope/runtime/store-client.js';
import { TERM_SETTINGS } from '@imscope/runtime/term-settings.js';
import { DEFAULT_BOUNDS } from '@imscope/schemas/block-bounds.js';

export const SETTINGS = {
  ...KAFKA_SETTINGS,
  ...STORE_SETTINGS,
  ...TERM_SETTINGS,
  consumerGroup: text({
    default: 'imscope-aggregator',
    pattern: /^[\w.-]{1,128}$/,
    purpose: 'Kafka consumer group, after KAFKA_TOPIC_PREFIX',
  }),
  partitionsAtOnce: integer({
    default: 4,
    min: 1,
    max: 64,
    purpose: 'partitions that are stored side by side',
  }),
  blockRowsMax: integer({
    default: DEFAULT_BOUNDS.rowsMax,
    min: 1,
    max: 1_000_000,
    purpose: 'rows that end a block',
  }),
  blockBytesMax: integer({
    default: DEFAULT_BOUNDS.bytesMax,
    min: 1_000_000,
    max: 64_000_000,
    purpose: 'message bytes that end a block',
  }),
  markerAgeMs: integer({
    default: 1_000,
    min: 50,
    max: 60_000,
    purpose: 'age at which a caught-up open block is ended by a marker',
  }),
  fetchBytesMax: integer({
    default: 4_000_000,
    min: 1_000_000,
    max: 64_000_000,
    purpose: 'bytes fetched of one partition at once',
  }),
  insertTimeoutMs: integer({
    default: 120_000,
    min: 1_000,
    max: 600_000,
    purpose: 'longest wait for the store to answer an insert',
  }),
  stallTimeoutMs: integer({
    default: 120_000,
    min: 10_000,
    max: 3_600_000,
    purpose:
      'lag without progress for this long ends the process for its supervisor; not ready after a quarter',
  }),
  reconcileIntervalS: integer({
    default: 60,
    min: 1,
    max: 3_600,
    purpose: 'seconds between two reconcile passes',
  }),
  rollupIntervalS: integer({
    default: 60,
    min: 1,
    max: 3_600,
    purpose: 'seconds between two passes that build the rollups of ended hours',
  }),
  topicPartitions: integer({
    default: 4,
    min: 1,
    max: 1_000,
    purpose: 'prepare: partitions of topics it creates',
  }),
  topicReplication: integer({
    default: 1,
    min: 1,
    max: 5,
    purpose: 'prepare: replicas of topics it creates',
  }),
} satisfies Settings;
