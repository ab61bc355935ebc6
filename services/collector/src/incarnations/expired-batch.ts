/*
 * Batches that waited in the spool longer than their data may be kept. An empty container is sent with the batch's id
 * and its number of records. So no data outlives its retention, no gap is left, and the loss is counted.
 */
import {
  type AvroSchema,
  EDGE_ACCOUNT_SCHEMA,
  INTERFACE_METRIC_SCHEMA,
  REQUEST_LOG_SCHEMA,
} from '@imscope/schemas/avro-schema.js';
import { containerHeader } from '@imscope/schemas/container.js';
import { type EdgeTerms, edgeTerms, TOPIC_NAMES } from '@imscope/schemas/retention.js';
import type { EdgeTopic } from '../kafka/kafka-producer.js';
import type { BatchBody, BatchHead } from '../spool/batch-entry.js';

/** How old a batch's data may be in the spool, by topic. */
export type EdgeTermsByTopic = Readonly<Record<EdgeTopic, EdgeTerms>>;

export function edgeTermsByTopic(settings: Parameters<typeof edgeTerms>[0]): EdgeTermsByTopic {
  const { requestLog, interfaceMetric, edgeAccount } = edgeTerms(settings);
  return {
    [TOPIC_NAMES.requestLog]: requestLog,
    [TOPIC_NAMES.interfaceMetric]: interfaceMetric,
    [TOPIC_NAMES.edgeAccount]: edgeAccount,
  };
}

/**
 * Whether a batch may no longer be sent: it waited too long, or its data is older than accepted data that waited so
 * long. The latter happens to metrics of a killed collector, which are recovered and logged at a later start.
 */
export function isOverdue(head: BatchHead, terms: EdgeTermsByTopic, nowMs: number): boolean {
  const { lateMs, waitMs } = terms[head.topic];
  if (head.records === 0) return false;
  return head.loggedMs < nowMs - waitMs || head.times.least < nowMs - lateMs - waitMs;
}

const SCHEMAS: Readonly<Record<EdgeTopic, AvroSchema>> = {
  [TOPIC_NAMES.requestLog]: REQUEST_LOG_SCHEMA,
  [TOPIC_NAMES.interfaceMetric]: INTERFACE_METRIC_SCHEMA,
  [TOPIC_NAMES.edgeAccount]: EDGE_ACCOUNT_SCHEMA,
};

export function expiredBatch(head: BatchHead): { readonly head: BatchHead; readonly body: BatchBody } {
  return {
    head: { ...head, records: 0, expiredRecords: head.records, moved: true },
    body: { container: expiredContainer(head.topic), widths: Buffer.alloc(0), unlogged: [] },
  };
}

export function expiredContainer(topic: EdgeTopic): Buffer {
  return containerHeader(SCHEMAS[topic]);
}
