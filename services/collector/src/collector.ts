/*
 * Puts the collector together and takes it apart: the spool and the books first, the listener last; on stopping
 * readiness goes first, then connections, then the listener, then what is in becomes durable, then the final account.
 * What an earlier process left in the spool is sent beside it all. Nothing acknowledged is lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createKafka } from '@imscope/runtime/kafka-client.js';
import { openRegistry } from '@imscope/runtime/registry-file.js';
import type { Boot } from './boots/boot.js';
import { openCertificate } from './certificate.js';
import type { CollectorContext } from './collector-context.js';
import type { CollectorConfig } from './config.js';
import { EarlierBoots } from './boots/earlier-boots.js';
import { createGate } from './gate.js';
import { InterfaceCap } from './intake/interface-cap.js';
import { createProducer, type KafkaProducer } from './kafka-producer.js';
import { KeyedIds } from './batches/keyed-ids.js';
import { KeyedRequest } from './batches/keyed-request.js';
import { createLimits } from './limits/limits.js';
import { createPipeline, lookAtTopics, type Pipeline } from './pipeline.js';
import { type ServerOptions, startServer } from './server.js';
import { openSpool } from './spool/spool.js';

/**
 * A stop has 25 s in all, reckoned from its beginning, DRAIN_MS among them: batches get until 17, so that their
 * requests are answered within 19; then what is left has until 23 to reach Kafka. What does not stays in the spool.
 */
const DELIVER_MS = 17_000;
const ANSWER_MS = 19_000;
const FINISH_MS = 23_000;
/** Without Kafka a stop does not wait for it. */
const FINISH_AWAY_MS = 200;
const HOUR_MS = 3_600_000;
const TICK_MS = 1_000;
const MINUTE_MS = 60_000;

export type Collector = {
  readonly port: number;
  /** Of the PROXY protocol; undefined where there is none. */
  readonly proxyPort: number | undefined;
  readonly boot: string;
  stop(): Promise<void>;
};

/** Starts the collector. Kafka need not be there, once its topics were seen. */
export async function startCollector(context: CollectorContext): Promise<Collector> {
  const { config, logger } = context;
  const kafka = createKafka(config, 'imscope-collector', logger);
  return startWithProducer(context, createProducer(kafka, config.kafkaTopicPrefix));
}

/** Starts everything between HTTP and a producer, which is stopped with it. */
export async function startWithProducer(
  context: CollectorContext,
  producer: KafkaProducer,
): Promise<Collector> {
  const { config, logger, readiness } = context;
  const certificate = openCertificate({ certFile: config.tlsCertFile, keyFile: config.tlsKeyFile }, logger);
  const spool = await openSpool(config.spoolDir);
  const keyedIds = await KeyedIds.open(spool.directory, logger, Date.now());
  const partitions = await lookAtTopics(context, producer, spool);
  const registered = openRegistry(config.registryFile, logger);
  const pipeline = await createPipeline(context, { producer, spool, keyedIds, partitions });
  const { budget, space, batcher, availability, boot, writer } = pipeline;
  const limits = createLimits({ registered, budget, random: Math.random }, context.registry);
  const earlier = new EarlierBoots({ ...pipeline.bootOptions, spool, keyedIds });
  const failure = (): string | undefined => boot.log.failure ?? space.failure;
  const lookAtSpool = async (): Promise<void> => {
    await space.look();
    readiness.report('spool', failure());
  };
  const timers = startTimers({ config, boot, earlier, keyedIds, lookAtSpool });
  await lookAtSpool();
  const server = await startServer(
    serverOptions(context, { pipeline, registered, limits, certificate, keyedIds, failure }),
  );
  void earlier.recover();
  const { port, proxyPort } = server;
  logger.info({ port, proxyPort, boot: boot.id, partitions }, 'taking request logs');
  return {
    port,
    proxyPort,
    boot: boot.id,
    stop: async () => {
      const startMs = performance.now();
      readiness.stopping();
      await server.drain(config.drainMs);
      const drainedMs = performance.now() - startMs;
      batcher.drain();
      writer.limit(DELIVER_MS - drainedMs);
      await server.stop(ANSWER_MS - drainedMs);
      writer.stop();
      for (const timer of timers) clearInterval(timer);
      // Every request is answered by now: the last metrics and the final account hold them all.
      const lastMs = startMs + FINISH_MS;
      await Promise.race([boot.close(), sleep(lastMs - performance.now(), undefined, { ref: false })]);
      const away = availability.failure !== undefined;
      const left = await boot.log.finish(away ? performance.now() + FINISH_AWAY_MS : lastMs);
      const leftEarlier = await earlier.stop();
      if (left + leftEarlier > 0) {
        logger.warn({ batches: left + leftEarlier }, 'the spool keeps batches for the next start');
      }
      availability.stop();
      registered.stop();
      await keyedIds.stop();
      await producer.stop();
      await spool.unlock();
    },
  };
}

function serverOptions(
  context: CollectorContext,
  of: {
    readonly pipeline: Pipeline;
    readonly registered: ReturnType<typeof openRegistry>;
    readonly limits: ServerOptions['limits'];
    readonly certificate: ServerOptions['certificate'];
    readonly keyedIds: KeyedIds;
    readonly failure: ServerOptions['failure'];
  },
): ServerOptions {
  const { pipeline, registered, limits, certificate, keyedIds, failure } = of;
  const { budget, space, metrics, boot } = pipeline;
  const { config, logger } = context;
  return {
    host: config.collectorHost,
    port: config.collectorPort,
    proxyProtocol: proxyFront(config, metrics),
    certificate,
    bodyBounds: { bytesMax: config.bodyBytesMax, inflatedBytesMax: config.bodyInflatedBytesMax },
    lateMsMax: config.lateHoursMax * HOUR_MS,
    ...createGate(context, registered, limits),
    limits,
    budget,
    space,
    failure,
    intoBatches: intoBatches(config, pipeline),
    keysKnown: () => keyedIds.complete,
    onRejected: (rejected) => boot.books.rejected(rejected),
    metrics,
    logger,
  };
}

function proxyFront(config: CollectorConfig, metrics: Pipeline['metrics']): ServerOptions['proxyProtocol'] {
  if (config.proxyProtocolPort === -1) return undefined;
  return {
    host: config.collectorHost,
    port: config.proxyProtocolPort,
    peers: config.proxyProtocolPeers,
    connections: metrics.proxyConnections,
  };
}

/** The first account is written at once, so that a collector is known from its start. */
function startTimers(of: {
  readonly config: CollectorConfig;
  readonly boot: Boot;
  readonly earlier: EarlierBoots;
  readonly keyedIds: KeyedIds;
  readonly lookAtSpool: () => Promise<void>;
}): NodeJS.Timeout[] {
  const { config, boot, earlier, keyedIds, lookAtSpool } = of;
  void boot.writeAccount('running');
  return [
    setInterval(() => {
      boot.writeDueWindows(Date.now());
      boot.log.writeMark();
      void lookAtSpool();
    }, TICK_MS),
    setInterval(() => void boot.writeAccount('running'), config.accountIntervalMs),
    setInterval(() => {
      for (const one of [boot, ...earlier.boots]) one.log.expire(Date.now());
      void keyedIds.forget(Date.now());
    }, MINUTE_MS),
  ];
}

/** Records of one request go to the open batches of all, or to batches of its own where it carries a key. */
function intoBatches(
  config: CollectorConfig,
  { batcher, writer, keyedRequests, metrics }: Pipeline,
): ServerOptions['intoBatches'] {
  const interfaces = new InterfaceCap({
    perApplicationMax: config.interfacesMax,
    namesMax: config.interfacesTotalMax,
    onOverflow: () => metrics.interfacesOverflowed.inc(),
  });
  return (sender, key) => {
    const nowMs = Date.now();
    const request = key === undefined ? undefined : new KeyedRequest(sender, key, keyedRequests);
    const target = request ?? batcher;
    return {
      append: (record) => target.append(interfaces.cap(record, nowMs), nowMs),
      countOnly: (record) => target.countOnly(interfaces.cap(record, nowMs), nowMs),
      finish: () => {
        if (request !== undefined) writer.appendKeyed(request.finish());
      },
    };
  };
}
