/*
 * One aggregator: consumes the topics of its group, stores blocks, and, where it is the member to do so,
 * reconciles and builds the rollups of ended hours.
 * `main.ts`, tests and benches start it here.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '@imscope/runtime/config.js';
import { createKafka } from '@imscope/runtime/kafka-client.js';
import { connectForCompleteResponses } from '@imscope/runtime/kafkajs/complete-responses.js';
import { countResponseBatches } from '@imscope/runtime/kafkajs/response-batches.js';
import { ResponseBuffers } from '@imscope/runtime/kafkajs/response-buffers.js';
import { avoidResponseCopies } from '@imscope/runtime/kafkajs/response-joining.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Readiness } from '@imscope/runtime/readiness.js';
import { createStoreClient } from '@imscope/runtime/store-client.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Registry } from 'prom-client';
import type { SETTINGS } from './config.js';
import { type ConsumeOptions, startConsuming } from './consume/consume.js';
import { createAggregatorMetrics } from './metrics.js';
import { startReconciling } from './reconcile/start-reconciling.js';
import { startRollups } from './rollup/start-rollups.js';
import { checkTerms } from './topics/check-terms.js';

export type AggregatorContext = {
  readonly config: Config<typeof SETTINGS>;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly readiness: Readiness;
  /** Ends the process, so that its supervisor starts it again. */
  readonly fail: (error: Error) => void;
  /** Name at the brokers and at the store. */
  readonly clientId?: string;
  /** Memory of the responses of Kafka; tests give one that spoils what is released. */
  readonly responses?: ResponseBuffers;
};

export type Aggregator = {
  /** Blocks in progress are stored and committed first. */
  stop(): Promise<void>;
};

/**
 * Resolves once the group is joined. While the store does not answer it waits, and the readiness names the store.
 * @throws SettingsError where terms of topics or tables do not add up; Error where Kafka does not answer
 */
export async function createAggregator(context: AggregatorContext): Promise<Aggregator> {
  const { config, logger, registry, readiness, fail } = context;
  const { clientId = 'imscope-aggregator', responses = new ResponseBuffers() } = context;
  avoidResponseCopies();
  const endCounting = countResponseBatches(responses);
  const store = createStoreClient(config, clientId, config.insertTimeoutMs);
  const ping = await store.ping();
  readiness.report('store', ping.success ? undefined : ping.error.message);
  await checkTerms(config, { store, logger, readiness });
  const metrics = createAggregatorMetrics(registry);
  const consuming = await startConsuming(consumeOptions(config), {
    kafka: createKafka(config, clientId, logger, { socketFactory: connectForCompleteResponses(responses) }),
    responses,
    store,
    logger,
    readiness,
    fail,
    timing: { nowMs: Date.now, delay, random: Math.random },
    metrics,
  });
  const shared = { store: config, topicPrefix: config.kafkaTopicPrefix, metrics, logger };
  // One member of the group is it at any time.
  const isChosen = (): boolean => consuming.owns(config.kafkaTopicPrefix + TOPICS.requestLog.name, 0);
  const reconciling = startReconciling({
    ...shared,
    intervalMs: config.reconcileIntervalS * 1_000,
    isChecker: isChosen,
  });
  const rollups = startRollups({
    ...shared,
    intervalMs: config.rollupIntervalS * 1_000,
    isBuilder: isChosen,
  });
  return {
    stop: async () => {
      await Promise.all([consuming.stop(), reconciling.stop(), rollups.stop()]);
      endCounting();
      await store.close();
    },
  };
}

function consumeOptions(config: Config<typeof SETTINGS>): ConsumeOptions {
  return {
    topicPrefix: config.kafkaTopicPrefix,
    // The prefix separates two deployments on one cluster: their groups as well as their topics.
    consumerGroup: config.kafkaTopicPrefix + config.consumerGroup,
    partitionsAtOnce: config.partitionsAtOnce,
    bounds: { rowsMax: config.blockRowsMax, bytesMax: config.blockBytesMax },
    markerAgeMs: config.markerAgeMs,
    fetchBytesMax: config.fetchBytesMax,
    stallTimeoutMs: config.stallTimeoutMs,
  };
}
