/*
 * Puts the collector together and takes it apart: the spool and the books first, the listener last; on stopping
 * readiness goes first, then connections, then the listener, then what is in becomes durable, then the final account.
 * What an earlier process left in the spool is sent beside it all. Nothing acknowledged is lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createKafka } from '@imscope/runtime/kafka-client.js';
import type { Logger } from '@imscope/runtime/logger.js';
import { openApplicationsFile, withoutApplicationsFile } from '@imscope/access/applications-file.js';
import type { Incarnation } from './incarnations/incarnation.js';
import { openCertificate } from './connections/certificate.js';
import { RefusalLog } from './clients/refusal-log.js';
import type { CollectorContext } from './collector-context.js';
import type { CollectorConfig } from './config.js';
import { EarlierIncarnations, type EarlierIncarnationsOptions } from './incarnations/earlier-incarnations.js';
import { createGate, type Gate } from './admission.js';
import { InterfaceCardinalityLimit } from './intake/interface-cardinality-limit.js';
import { scrubText } from './intake/scrub-text.js';
import { createProducer, type KafkaProducer, type PartitionCounts } from './kafka/kafka-producer.js';
import { KeyedIds } from './spool/keyed-ids.js';
import { KeyedRequest } from './batches/keyed-request.js';
import { createLimits } from './limits/limits.js';
import { createPipeline, lookAtTopics, type Pipeline } from './pipeline.js';
import { type CollectorServer, type ServerOptions, startServer } from './server.js';
import { openSpool, type Spool } from './spool/spool.js';
import { Checkpoint } from './tail/checkpoint.js';
import { createTailer } from './create-tailer.js';
import type { Tailer } from './tail/tailer.js';
import { checkTopicTermsAtStart } from './topic-terms-check.js';

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

/** Starts everything between HTTP, or tailed files, and a producer, which is stopped with it. */
export async function startWithProducer(
  context: CollectorContext,
  producer: KafkaProducer,
): Promise<Collector> {
  const { config, logger, readiness } = context;
  const certificate = openCertificate({ certFile: config.tlsCertFile, keyFile: config.tlsKeyFile }, logger);
  const spool = await openSpool(config.spoolDir);
  const { partitions, termsChecked } = await readTopics(context, producer, spool);
  const keyedIds = await KeyedIds.open(spool.directory, logger, Date.now());
  const checkpoint = await Checkpoint.open(spool.directory, logger);
  const registered =
    config.registryFile === ''
      ? withoutApplicationsFile()
      : openApplicationsFile(config.registryFile, logger);
  const pipeline = await createPipeline(context, { producer, spool, keyedIds, partitions, termsChecked });
  const { budget, space, metrics, incarnation } = pipeline;
  const limits = createLimits({ registered, budget, random: Math.random }, context.registry);
  const saveTail: EarlierIncarnationsOptions['saveTail'] = async (found) =>
    checkpoint.saveDurable(found, Date.now());
  const earlier = new EarlierIncarnations({ ...pipeline.incarnationOptions, spool, keyedIds, saveTail });
  const failure = (): string | undefined => incarnation.log.failure ?? space.failure;
  const lookAtSpool = async (): Promise<void> => {
    await space.look();
    readiness.report('spool', failure());
  };
  const timers = startTimers({ config, incarnation, earlier, keyedIds, lookAtSpool });
  await lookAtSpool();
  const interfaces = new InterfaceCardinalityLimit({
    perApplicationMax: config.interfacesMax,
    namesMax: config.interfacesTotalMax,
    onOverflow: () => metrics.interfacesOverflowed.inc(),
  });
  const gate = createGate(context, registered, limits);
  const { watch } = gate;
  const refusals = new RefusalLog(logger, (text) => scrubText(text).text);
  const shared = { pipeline, limits, interfaces, failure, refusals };
  const tailer = createTailer(context, { ...shared, checkpoint, watch });
  const of = { ...shared, gate, certificate, keyedIds };
  const server = config.collectorListen ? await startServer(serverOptions(context, of)) : undefined;
  // How far files were read may stand in the log of a killed process alone: nobody knows before that is read.
  void earlier.recover().then(() => tailer?.start());
  const { port, proxyPort } = server ?? { port: 0, proxyPort: undefined };
  logger.info(
    { port, proxyPort, tailed: config.tailFiles, boot: incarnation.id, partitions },
    'taking request logs',
  );
  const parts = { pipeline, server, tailer, earlier, timers, logger };
  return {
    port,
    proxyPort,
    boot: incarnation.id,
    stop: async () => {
      readiness.stopping();
      await finish(parts, config.drainMs);
      refusals.stop();
      pipeline.availability.stop();
      registered.stop();
      await keyedIds.stop();
      await producer.stop();
      await spool.unlock();
    },
  };
}

/** @throws SettingsError where the terms do not add up: nothing was accepted by then */
async function readTopics(
  context: CollectorContext,
  producer: KafkaProducer,
  spool: Spool,
): Promise<{ readonly partitions: PartitionCounts; readonly termsChecked: boolean }> {
  try {
    const partitions = await lookAtTopics(context, producer, spool);
    return { partitions, termsChecked: await checkTopicTermsAtStart(context, producer) };
  } catch (error) {
    await producer.stop();
    await spool.unlock();
    throw error;
  }
}

function serverOptions(
  context: CollectorContext,
  of: {
    readonly pipeline: Pipeline;
    readonly gate: Gate;
    readonly limits: ServerOptions['limits'];
    readonly certificate: ServerOptions['certificate'];
    readonly keyedIds: KeyedIds;
    readonly interfaces: InterfaceCardinalityLimit;
    readonly failure: ServerOptions['failure'];
    readonly refusals: RefusalLog;
  },
): ServerOptions {
  const { pipeline, gate, limits, certificate, keyedIds, interfaces, failure, refusals } = of;
  const { budget, space, metrics, incarnation } = pipeline;
  const { config, logger } = context;
  return {
    host: config.collectorHost,
    port: config.collectorPort,
    proxyProtocol: proxyFront(config, metrics),
    certificate,
    bodyBounds: { bytesMax: config.bodyBytesMax, inflatedBytesMax: config.bodyInflatedBytesMax },
    lateMsMax: config.lateHoursMax * HOUR_MS,
    ...gate,
    limits,
    budget,
    space,
    failure,
    intoBatches: intoBatches(interfaces, pipeline),
    keysKnown: () => keyedIds.complete,
    onRejected: (rejected) => incarnation.accounting.rejected(rejected),
    refusals,
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

/** Everything that is in becomes durable, and goes to Kafka as far as the time allows. */
async function finish(
  parts: {
    readonly pipeline: Pipeline;
    readonly server: CollectorServer | undefined;
    readonly tailer: Tailer | undefined;
    readonly earlier: EarlierIncarnations;
    readonly timers: readonly NodeJS.Timeout[];
    readonly logger: Logger;
  },
  drainMs: number,
): Promise<void> {
  const { server, tailer, earlier, timers, logger } = parts;
  const { batcher, writer, incarnation, availability } = parts.pipeline;
  const startMs = performance.now();
  const tailed = tailer?.stop();
  await server?.drain(drainMs);
  const drainedMs = performance.now() - startMs;
  batcher.drain();
  writer.limit(DELIVER_MS - drainedMs);
  await Promise.all([server?.stop(ANSWER_MS - drainedMs), tailed]);
  writer.stop();
  for (const timer of timers) clearInterval(timer);
  // Every request is answered by now: the last metrics and the final account hold them all.
  const lastMs = startMs + FINISH_MS;
  await Promise.race([incarnation.close(), sleep(lastMs - performance.now(), undefined, { ref: false })]);
  await saveTail(incarnation, tailer, logger);
  const away = availability.failure !== undefined;
  const left = await incarnation.log.finish(away ? performance.now() + FINISH_AWAY_MS : lastMs);
  const leftEarlier = await earlier.stop();
  if (left + leftEarlier > 0) {
    logger.warn({ batches: left + leftEarlier }, 'the spool keeps batches for the next start');
  }
}

/** The first account is written at once, so that a collector is known from its start. */
function startTimers(of: {
  readonly config: CollectorConfig;
  readonly incarnation: Incarnation;
  readonly earlier: EarlierIncarnations;
  readonly keyedIds: KeyedIds;
  readonly lookAtSpool: () => Promise<void>;
}): NodeJS.Timeout[] {
  const { config, incarnation, earlier, keyedIds, lookAtSpool } = of;
  void incarnation.writeAccount('running');
  return [
    setInterval(() => {
      incarnation.writeDueWindows(Date.now());
      incarnation.log.writeMark();
      void lookAtSpool();
    }, TICK_MS),
    setInterval(() => void incarnation.writeAccount('running'), config.accountIntervalMs),
    setInterval(() => {
      for (const one of [incarnation, ...earlier.incarnations]) one.log.expire(Date.now());
      void keyedIds.forget(Date.now());
    }, MINUTE_MS),
  ];
}

/** The log may go once Kafka has all of it: how far files were read must stand in the checkpoint by then. */
async function saveTail(incarnation: Incarnation, tailer: Tailer | undefined, logger: Logger): Promise<void> {
  if (tailer === undefined) return;
  try {
    await incarnation.sync();
    await tailer.saveAll();
  } catch (error) {
    logger.error({ err: error }, 'the spool cannot be synced: how far files were read is not saved');
  }
}

/** Records of one request go to the open batches of all, or to batches of its own where it carries a key. */
function intoBatches(
  interfaces: InterfaceCardinalityLimit,
  { batcher, writer, keyedRequests }: Pipeline,
): ServerOptions['intoBatches'] {
  return (sender, key) => {
    const nowMs = Date.now();
    const request = key === undefined ? undefined : new KeyedRequest(sender, key, keyedRequests);
    const target = request ?? batcher;
    return {
      append: (record) => target.append(interfaces.apply(record, nowMs), nowMs),
      countOnly: (record) => target.countOnly(interfaces.apply(record, nowMs), nowMs),
      finish: () => {
        if (request !== undefined) writer.appendKeyed(request.finish());
      },
    };
  };
}
