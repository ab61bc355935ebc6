/*
 * What becomes of a batch that waited longer at the edge than its data may be kept: its container is taken out,
 * and an empty one goes to Kafka under its id, which says how many records there were. So nothing outlives its
 * term, no gap is left, and the loss is counted where losses are looked for.
 */
import {
  type AvroSchema,
  EDGE_ACCOUNT_SCHEMA,
  INTERFACE_METRIC_SCHEMA,
  REQUEST_LOG_SCHEMA,
} from '@imscope/schemas/avro-schema.js';
import { containerHeader } from '@imscope/schemas/container.js';
import { EDGE_WAIT_HOURS } from '@imscope/schemas/topics.js';
import type { EdgeTopic } from '../kafka-producer.js';
import type { BatchBody, BatchHead } from '../spool/batch-entry.js';

const HOUR_MS = 3_600_000;

/** How long a batch may wait at the edge: the terms of its topic add up with it, see `TOPICS`. */
export const SPOOL_MS_MAX: Readonly<Record<EdgeTopic, number>> = {
  'im.request-log': EDGE_WAIT_HOURS['im.request-log'] * HOUR_MS,
  'im.interface-metric': EDGE_WAIT_HOURS['im.interface-metric'] * HOUR_MS,
  'im.edge-account': EDGE_WAIT_HOURS['im.edge-account'] * HOUR_MS,
};

const SCHEMAS: Readonly<Record<EdgeTopic, AvroSchema>> = {
  'im.request-log': REQUEST_LOG_SCHEMA,
  'im.interface-metric': INTERFACE_METRIC_SCHEMA,
  'im.edge-account': EDGE_ACCOUNT_SCHEMA,
};

export function expiredBatch(head: BatchHead): { readonly head: BatchHead; readonly body: BatchBody } {
  return {
    head: { ...head, records: 0, expiredRecords: head.records, moved: true },
    body: { container: containerHeader(SCHEMAS[head.topic]), widths: Buffer.alloc(0), unlogged: [] },
  };
}
