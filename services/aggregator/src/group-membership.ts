/*
 * What one member of the consumer group works with: its options, the parts it was given, its open connections.
 */
import type { Admin, Consumer, Kafka, Producer } from 'kafkajs';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Readiness } from '@imscope/runtime/readiness.js';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import type { BlockBounds } from '@imscope/schemas/block-bounds.js';
import type { AggregatorMetrics } from './metrics.js';

export type ConsumeOptions = {
  readonly topicPrefix: string;
  readonly consumerGroup: string;
  readonly partitionsAtOnce: number;
  readonly bounds: BlockBounds;
  readonly markerAgeMs: number;
  readonly fetchBytesMax: number;
  readonly stallTimeoutMs: number;
};

export type ConsumeParts = {
  readonly kafka: Kafka;
  readonly store: ClickHouseClient;
  readonly metrics: AggregatorMetrics;
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly fail: (error: Error) => void;
};

export type GroupMembership = {
  readonly options: ConsumeOptions;
  readonly parts: ConsumeParts;
  readonly consumer: Consumer;
  readonly producer: Producer;
  readonly admin: Admin;
  /** The cluster's own id. */
  readonly cluster: string;
};
