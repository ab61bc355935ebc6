/*
 * The composition of everything from a valid record to Kafka: batcher, writer, and the incarnation with its log and
 * accounting. The number of partitions comes from Kafka, and is saved in the spool for starts without Kafka.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '@imscope/runtime/error-message.js';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import { singleLane } from '@imscope/schemas/lanes.js';
import { TOPIC_NAMES } from '@imscope/schemas/retention.js';
import type { Registry } from 'prom-client';
import { Batcher } from './batches/batcher.js';
import { Incarnation, type IncarnationOptions } from './incarnations/incarnation.js';
import { edgeTermsByTopic } from './incarnations/expired-batch.js';
import { ByteBudget } from './limits/byte-budget.js';
import type { CollectorContext } from './collector-context.js';
import { createFacts } from './create-facts.js';
import { KafkaAvailability } from './kafka/kafka-availability.js';
import { EDGE_TOPICS, type KafkaProducer, type PartitionCounts } from './kafka/kafka-producer.js';
import { historySpan } from './history-settings.js';
import type { KeyedIds } from './spool/keyed-ids.js';
import type { KeyedRequestOptions } from './batches/keyed-request.js';
import { type CollectorMetrics, createMetrics } from './metrics.js';
import { RequestLogWriter } from './incarnations/request-log-writer.js';
import type { Spool } from './spool/spool.js';
import { SpoolSpace } from './spool/spool-space.js';
import { checkTopicTerms } from './topic-terms-check.js';

const RETRY_PAUSE_MS = 1_000;

export type Pipeline = {
  readonly budget: ByteBudget;
  readonly space: SpoolSpace;
  readonly metrics: CollectorMetrics;
  readonly batcher: Batcher;
  readonly availability: KafkaAvailability;
  readonly incarnation: Incarnation;
  readonly writer: RequestLogWriter;
  /** How the batches of a request with a key are created. */
  readonly keyedRequests: KeyedRequestOptions;
  /** How earlier incarnations are recovered. */
  readonly incarnationOptions: Omit<IncarnationOptions, 'identity' | 'directory' | 'onFree'>;
};

/** As saved in the spool, so that a start does not wait for Kafka; read from Kafka where it was never seen. */
export async function readPartitions(
  { logger, readiness }: CollectorContext,
  producer: KafkaProducer,
  spool: Spool,
): Promise<PartitionCounts> {
  if (spool.partitions !== undefined) return spool.partitions;
  for (;;) {
    try {
      const partitions = await producer.countPartitions();
      await spool.savePartitions(partitions);
      return partitions;
    } catch (error) {
      const failure = errorMessage(error);
      readiness.report('spool', `the topics were never seen, so batches cannot get ids: ${failure}`);
      logger.warn({ failure }, 'Kafka cannot be used yet, and its topics were never seen: trying again');
      await sleep(RETRY_PAUSE_MS * (0.5 + Math.random()));
    }
  }
}

/**
 * Lanes are fixed at the start. Partitions added later are used from the next start on. Where partitions were removed,
 * this process ends, and its supervisor starts it with those that are left.
 */
async function comparePartitions(
  context: CollectorContext,
  parts: Pick<Parts, 'producer' | 'spool' | 'partitions'>,
): Promise<void> {
  await checkTerms(context, parts);
  const now = await parts.producer.countPartitions();
  const known = parts.partitions;
  const changed = EDGE_TOPICS.filter((topic) => now[topic] !== known[topic]);
  if (changed.length === 0) return;
  await parts.spool.savePartitions(now);
  context.logger.warn({ now, known }, 'topics have other numbers of partitions than at the start');
  if (changed.some((topic) => now[topic] < known[topic])) {
    context.fail(new Error('partitions of a topic are gone: start this collector again'));
  }
}

/** While this throws, Kafka counts as away and nothing is sent. What was accepted stays in the spool. */
async function checkTerms(context: CollectorContext, { producer }: Pick<Parts, 'producer'>): Promise<void> {
  try {
    await checkTopicTerms(context, producer);
  } catch (error) {
    if (error instanceof SettingsError) context.fail(error);
    throw error;
  }
}

type Parts = {
  readonly producer: KafkaProducer;
  readonly spool: Spool;
  readonly keyedIds: KeyedIds;
  readonly partitions: PartitionCounts;
  /** Whether the retention of the topics was checked already. */
  readonly termsChecked: boolean;
};

export async function createPipeline(context: CollectorContext, parts: Parts): Promise<Pipeline> {
  const { config, logger } = context;
  const { producer, spool, keyedIds, partitions } = parts;
  const lanes = singleLane(partitions[TOPIC_NAMES.requestLog]);
  const budget = new ByteBudget(config.bufferBytesMax);
  const space = new SpoolSpace(spool.directory, config.spoolBytesMax);
  const metrics = createGauges(context.registry, keyedIds, () => pipeline);
  const probe = (): Promise<void> => comparePartitions(context, parts);
  const availability = new KafkaAvailability({ probe, logger, onBack: () => incarnation.log.resume() });
  const metricLanes = singleLane(partitions[TOPIC_NAMES.interfaceMetric]);
  const incarnationOptions = {
    space,
    metricLanes,
    settings: config,
    budget,
    producer,
    availability,
    terms: edgeTermsByTopic(config),
    metrics,
    logger,
    facts: createFacts(config, space),
  };
  const incarnation: Incarnation = await createIncarnation(config, spool, {
    ...incarnationOptions,
    onFree: () => writer.logAllReady(),
  });
  const keyedRequests: KeyedRequestOptions = {
    lanes,
    recordsMax: config.batchRecordsMax,
    timeoutMs: config.produceTimeoutMs,
    budget,
    count: (batch, record, nowMs) => incarnation.accounting.count(batch, record, nowMs),
    countUnlogged: (batch, record, nowMs) => incarnation.accounting.countUnlogged(batch, record, nowMs),
  };
  const batcher: Batcher = new Batcher({
    ...keyedRequests,
    lingerMs: config.lingerMsMax,
    onReady: (lane) => writer.logReady(lane),
  });
  const writer: RequestLogWriter = new RequestLogWriter({
    incarnation,
    batcher,
    lanes,
    inFlightMax: config.produceInFlightMax,
    availability,
    budget,
    keyedIds,
    logger,
  });
  const pipeline: Pipeline = {
    budget,
    space,
    metrics,
    batcher,
    availability,
    incarnation,
    writer,
    keyedRequests,
    incarnationOptions,
  };
  if (parts.termsChecked) {
    // Compared while traffic is already accepted: a start does not depend on Kafka.
    probe().catch((error: unknown) => logger.debug({ err: error }, 'Kafka does not tell its topics yet'));
  } else availability.failed('Kafka has not said yet how long its topics keep messages');
  return pipeline;
}

async function createIncarnation(
  config: CollectorContext['config'],
  spool: Spool,
  options: Omit<IncarnationOptions, 'identity' | 'directory'>,
): Promise<Incarnation> {
  const boot = createIncarnationId();
  return new Incarnation({
    ...options,
    identity: {
      collector: config.collectorName,
      boot,
      version: readVersion(),
      startedMs: Date.now(),
      covers: historySpan(config),
    },
    directory: await spool.createIncarnation(boot),
  });
}

function createGauges(registry: Registry, keyedIds: KeyedIds, pipeline: () => Pipeline): CollectorMetrics {
  return createMetrics(registry, {
    bufferedBytes: () => pipeline().budget.bytesHeld,
    inFlight: () => pipeline().incarnation.requestLogs.inFlight,
    metricWindows: () => pipeline().incarnation.accounting.windows.open,
    metricSeries: () => pipeline().incarnation.accounting.windows.seriesKnown,
    accountApplications: () => pipeline().incarnation.accounting.accounts.applications,
    spoolBytes: () => pipeline().space.bytes,
    spoolBatches: () => pipeline().space.batches,
    kafkaAway: () => (pipeline().availability.failure === undefined ? 0 : 1),
    keys: () => keyedIds.size,
  });
}

/** The version in package.json, one folder above sources and build alike. */
function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return known && typeof manifest.version === 'string' ? manifest.version : 'unknown';
}

/** Distinguishes the batches of this process from all others: 16 of 36 letters, 82 random bits. */
function createIncarnationId(): string {
  return Array.from({ length: 16 }, () => randomInt(36).toString(36)).join('');
}
