/*
 * Puts the collector together and takes it apart: sinks start first and the listener last; on stopping the
 * listener goes first, then what is in is delivered, then metrics and the final account, then the producer. Nothing acknowledged is lost, nothing
 * that waits is left without an answer.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createKafka } from '@imscope/runtime/kafka-client.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Readiness } from '@imscope/runtime/readiness.js';
import { openTokens } from '@imscope/runtime/tokens.js';
import { singleLane } from '@imscope/schemas/lanes.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Registry } from 'prom-client';
import { Batcher } from './batcher.js';
import { ByteBudget } from './byte-budget.js';
import type { CollectorConfig } from './config.js';
import { Delivery } from './delivery.js';
import { EdgeBooks } from './edge-books.js';
import { InterfaceCap } from './interface-cap.js';
import { KafkaAvailability } from './kafka-availability.js';
import { connectProducer, type KafkaProducer } from './kafka-producer.js';
import { createMetrics } from './metrics.js';
import { startServer } from './server.js';

/**
 * A stop has 25 s in all, reckoned from its beginning: batches get 17, so that their requests are answered
 * within 19; then connections end, then metrics have until 22 and the final account until 23.5.
 */
const DELIVER_MS = 17_000;
const ANSWER_MS = 19_000;
const METRICS_MS = 22_000;
const ACCOUNT_MS = 23_500;
const HOUR_MS = 3_600_000;

export type Collector = { readonly port: number; readonly boot: string; stop(): Promise<void> };

export type CollectorContext = {
  readonly config: CollectorConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly readiness: Readiness;
};

/** Starts the collector: waits for Kafka and the topic, then listens. */
export async function startCollector(context: CollectorContext): Promise<Collector> {
  const { config, logger, readiness } = context;
  const kafka = createKafka(config, 'imscope-collector', logger);
  const { kafkaTopicPrefix: topicPrefix } = config;
  const producer = await connectProducer({ kafka, topicPrefix, readiness, logger });
  return startWithProducer(context, producer);
}

/** Starts everything between HTTP and a connected producer, which is stopped with it. */
export async function startWithProducer(
  context: CollectorContext,
  producer: KafkaProducer,
): Promise<Collector> {
  const { config, logger, readiness } = context;
  const boot = createBootId();
  const tokens = openTokens(config.tokenFile, logger);
  const interfaces = new InterfaceCap({
    perApplicationMax: config.interfacesMax,
    namesMax: config.interfacesTotalMax,
    onOverflow: () => metrics.interfacesOverflowed.inc(),
  });
  const { budget, metrics, batcher, availability, books, delivery } = createPipeline(context, producer, boot);
  const server = await startServer({
    host: config.collectorHost,
    port: config.collectorPort,
    bodyBounds: { bytesMax: config.bodyBytesMax, inflatedBytesMax: config.bodyInflatedBytesMax },
    lateMsMax: config.lateHoursMax * HOUR_MS,
    authenticate: tokens.authenticate,
    budget,
    append: (record) => batcher.append(interfaces.cap(record, Date.now())),
    onRejected: (rejected) => books.rejected(rejected),
    kafkaFailure: () => availability.failure ?? books.failure,
    metrics,
    logger,
  });
  logger.info({ port: server.port, boot, partitions: producer.partitions }, 'taking request logs');
  return {
    port: server.port,
    boot,
    stop: async () => {
      const startMs = performance.now();
      readiness.stopping();
      batcher.drain();
      delivery.limit(DELIVER_MS);
      await server.stop(ANSWER_MS);
      await delivery.stop();
      // Every request log is resolved by now: the last metrics and the final account hold them all.
      await books.stop({ metrics: startMs + METRICS_MS, accounts: startMs + ACCOUNT_MS });
      availability.stop();
      tokens.stop();
      await producer.stop();
    },
  };
}

/** From record to Kafka, and the books that are kept of it. */
function createPipeline(context: CollectorContext, producer: KafkaProducer, boot: string) {
  const { config, logger, registry, readiness } = context;
  const lanes = singleLane(producer.partitions);
  const budget = new ByteBudget(config.bufferBytesMax);
  const metrics = createMetrics(registry, {
    bufferedBytes: () => budget.bytesHeld,
    inFlight: () => delivery.inFlight,
    metricWindows: () => books.windowsOpen,
    metricSeries: () => books.seriesKnown,
    edgeBufferedBytes: () => books.bytesHeld,
    accountApplications: () => books.applications,
  });
  const batcher: Batcher = new Batcher({
    lanes,
    recordsMax: config.batchRecordsMax,
    lingerMs: config.lingerMsMax,
    timeoutMs: config.produceTimeoutMs,
    budget,
    seriesOf: (record) => books.seriesOf(record),
    onReady: (lane) => delivery.pump(lane),
  });
  const availability = new KafkaAvailability({
    probe: producer.probe,
    readiness,
    logger,
    onBack: () => {
      delivery.pumpAll();
      books.pump();
    },
  });
  const books = new EdgeBooks({
    ...config,
    collector: config.collectorName,
    boot,
    version: readVersion(),
    producer,
    availability,
    metrics,
    logger,
  });
  const delivery = new Delivery({
    boot,
    topic: TOPICS.requestLog.name,
    lanes: lanes.lanes,
    inFlightMax: config.produceInFlightMax,
    send: producer.send,
    next: (lane, idle) => batcher.next(lane, idle),
    takeExpired: (nowMs) => batcher.takeExpired(nowMs),
    availability,
    budget,
    onAcknowledged: (batch, id) => books.acknowledged(batch, id),
    metrics: metrics.requestLogDelivery,
    logger,
  });
  return { budget, metrics, batcher, availability, books, delivery };
}

/** The version in package.json, one folder above sources and build alike. */
function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return known && typeof manifest.version === 'string' ? manifest.version : 'unknown';
}

/** Tells this process's batches from those of every other: 16 of 36 letters, 82 random bits. */
function createBootId(): string {
  return Array.from({ length: 16 }, () => randomInt(36).toString(36)).join('');
}
