/*
 * Puts the collector together and takes it apart: sinks start first and the listener last; on stopping the
 * listener goes first, then what is in is delivered, then the producer. Nothing acknowledged is lost, nothing
 * that waits is left without an answer.
 */
import { randomInt } from 'node:crypto';
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
import { InterfaceCap } from './interface-cap.js';
import { KafkaAvailability } from './kafka-availability.js';
import { connectProducer, type KafkaProducer } from './kafka-producer.js';
import { createMetrics } from './metrics.js';
import { startServer } from './server.js';

/** A stop has 25 s in all: batches get 18, so that their requests are answered within 20; then connections end. */
const DELIVER_MS = 18_000;
const ANSWER_MS = 20_000;
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
  const topic = config.kafkaTopicPrefix + TOPICS.requestLog.name;
  const producer = await connectProducer({ kafka, topic, readiness, logger });
  return startWithProducer(context, producer);
}

/** Starts everything between HTTP and a connected producer, which is stopped with it. */
export async function startWithProducer(
  context: CollectorContext,
  producer: KafkaProducer,
): Promise<Collector> {
  const { config, logger, registry, readiness } = context;
  const boot = createBootId();
  const tokens = openTokens(config.tokenFile, logger);
  const interfaces = new InterfaceCap({
    perApplicationMax: config.interfacesMax,
    namesMax: config.interfacesTotalMax,
    onOverflow: () => metrics.interfacesOverflowed.inc(),
  });
  const lanes = singleLane(producer.partitions);
  const budget = new ByteBudget(config.bufferBytesMax);
  const metrics = createMetrics(registry, {
    bufferedBytes: () => budget.bytesHeld,
    inFlight: () => delivery.inFlight,
  });
  const batcher = new Batcher({
    lanes,
    recordsMax: config.batchRecordsMax,
    lingerMs: config.lingerMsMax,
    timeoutMs: config.produceTimeoutMs,
    budget,
    onReady: (lane) => delivery.pump(lane),
  });
  const availability = new KafkaAvailability({
    probe: producer.probe,
    readiness,
    logger,
    onBack: () => delivery.pumpAll(),
  });
  const delivery = new Delivery({
    boot,
    lanes: lanes.lanes,
    inFlightMax: config.produceInFlightMax,
    send: producer.send,
    next: (lane, idle) => batcher.next(lane, idle),
    takeExpired: (nowMs) => batcher.takeExpired(nowMs),
    availability,
    budget,
    metrics,
    logger,
  });
  const server = await startServer({
    host: config.collectorHost,
    port: config.collectorPort,
    bodyBounds: { bytesMax: config.bodyBytesMax, inflatedBytesMax: config.bodyInflatedBytesMax },
    lateMsMax: config.lateHoursMax * HOUR_MS,
    authenticate: tokens.authenticate,
    budget,
    append: (record) => batcher.append(interfaces.cap(record, Date.now())),
    kafkaFailure: () => availability.failure,
    metrics,
    logger,
  });
  logger.info({ port: server.port, boot, partitions: producer.partitions }, 'taking request logs');
  return {
    port: server.port,
    boot,
    stop: async () => {
      readiness.stopping();
      batcher.drain();
      delivery.limit(DELIVER_MS);
      await server.stop(ANSWER_MS);
      await delivery.stop();
      availability.stop();
      tokens.stop();
      await producer.stop();
    },
  };
}

/** Tells this process's batches from those of every other: 16 of 36 letters, 82 random bits. */
function createBootId(): string {
  return Array.from({ length: 16 }, () => randomInt(36).toString(36)).join('');
}
