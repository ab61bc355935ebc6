/*
 * The composition of the collector, which main, tests and benches share. The spool and the accounting start first, the
 * listener last. What earlier processes left in the spool is sent at the same time.
 */
import type { Applications } from '@imscope/access/applications.js';
import { openApplications } from '@imscope/access/open-applications.js';
import { addSourceMetrics } from '@imscope/access/source-metrics.js';
import { join } from 'node:path';
import { createKafka } from '@imscope/runtime/kafka-client.js';
import { HOUR_MS } from '@imscope/schemas/retention.js';
import { type Admission, createAdmission } from './admission.js';
import { KeyedRequest } from './batches/keyed-request.js';
import { RefusalLog } from './clients/refusal-log.js';
import type { CollectorContext } from './collector-context.js';
import type { CollectorConfig } from './config.js';
import { openCertificate } from './connections/certificate.js';
import { createTailer } from './create-tailer.js';
import { EarlierIncarnations, type EarlierIncarnationsOptions } from './incarnations/earlier-incarnations.js';
import type { Incarnation } from './incarnations/incarnation.js';
import { InterfaceCardinalityLimit } from './intake/interface-cardinality-limit.js';
import { scrubText } from './intake/scrub-text.js';
import { createProducer, type KafkaProducer, type PartitionCounts } from './kafka/kafka-producer.js';
import { createRefusalOf } from './limits/application-refusal.js';
import { createLimits } from './limits/limits.js';
import { createPipeline, type Pipeline, readPartitions } from './pipeline.js';
import { type ServerOptions, startServer } from './server.js';
import { KeyedIds } from './spool/keyed-ids.js';
import { openSpool, type Spool } from './spool/spool.js';
import { stopCollector } from './stop-collector.js';
import { Checkpoint } from './tail/checkpoint.js';
import { checkTopicTermsAtStart } from './topic-terms-check.js';

const TICK_MS = 1_000;
const MINUTE_MS = 60_000;

export type Collector = {
  readonly port: number;
  /** Of the PROXY protocol listener; undefined where there is none. */
  readonly proxyPort: number | undefined;
  /** The id of this incarnation. */
  readonly boot: string;
  stop(): Promise<void>;
};

/**
 * Starts everything between HTTP, or tailed files, and the producer, which is stopped with it. Kafka may be away, once
 * its topics have been seen.
 */
export async function createCollector(
  context: CollectorContext,
  producer: KafkaProducer = connectProducer(context),
): Promise<Collector> {
  const { config, logger, readiness } = context;
  const certificate = openCertificate({ certFile: config.tlsCertFile, keyFile: config.tlsKeyFile }, logger);
  const spool = await openSpool(config.spoolDir);
  const topics = await readTopics(context, producer, spool);
  const keyedIds = await KeyedIds.open(spool.directory, logger, Date.now());
  const checkpoint = await Checkpoint.open(spool.directory, logger);
  const applications = await followRegistry(context, spool);
  const pipeline = await createPipeline(context, { producer, spool, keyedIds, ...topics });
  const { budget, space, incarnation } = pipeline;
  const limits = createLimits(
    { registered: applications, refusalOf: createRefusalOf(config), budget, random: Math.random },
    context.registry,
  );
  const saveTail: EarlierIncarnationsOptions['saveTail'] = async (positions) =>
    checkpoint.saveDurable(positions, Date.now());
  const earlier = new EarlierIncarnations({ ...pipeline.incarnationOptions, spool, keyedIds, saveTail });
  const failure = (): string | undefined => incarnation.log.failure ?? space.failure;
  const checkDisk = async (): Promise<void> => {
    await space.checkDisk();
    readiness.report('spool', failure());
  };
  const timers = startTimers({ config, incarnation, earlier, keyedIds, checkDisk });
  await checkDisk();
  const interfaces = createInterfaceLimit(config, pipeline);
  const admission = createAdmission(context, applications, limits);
  const refusals = new RefusalLog(logger, (text) => scrubText(text).text);
  const shared = { pipeline, limits, interfaces, failure, refusals };
  const tailer = createTailer(context, { ...shared, checkpoint, watch: admission.watch });
  const server = config.collectorListen
    ? await startServer(serverOptions(context, { ...shared, admission, certificate, keyedIds }))
    : undefined;
  // The log of a killed process may be the only place that tells how far files were read: it is read first.
  void earlier.recover().then(() => tailer?.start());
  const { port, proxyPort } = server ?? { port: 0, proxyPort: undefined };
  const { partitions } = topics;
  const boot = incarnation.id;
  logger.info({ port, proxyPort, tailed: config.tailFiles, boot, partitions }, 'accepting request logs');
  const parts = { pipeline, server, tailer, earlier, timers, logger };
  return {
    port,
    proxyPort,
    boot,
    stop: async () => {
      readiness.stopping();
      await stopCollector(parts, config.drainMs);
      refusals.stop();
      pipeline.availability.stop();
      await applications.stop();
      await keyedIds.stop();
      await producer.stop();
      await spool.unlock();
    },
  };
}

function connectProducer({ config, logger }: CollectorContext): KafkaProducer {
  return createProducer(createKafka(config, 'imscope-collector', logger), config.kafkaTopicPrefix);
}

/** @throws SettingsError where topics are kept longer than the settings allow: nothing has been accepted by then */
async function readTopics(
  context: CollectorContext,
  producer: KafkaProducer,
  spool: Spool,
): Promise<{ readonly partitions: PartitionCounts; readonly termsChecked: boolean }> {
  try {
    const partitions = await readPartitions(context, producer, spool);
    return { partitions, termsChecked: await checkTopicTermsAtStart(context, producer) };
  } catch (error) {
    await producer.stop();
    await spool.unlock();
    throw error;
  }
}

/** Tokens and applications of the configured source, which may be away. */
async function followRegistry(
  { config, logger, registry, readiness }: CollectorContext,
  { directory }: Pick<Spool, 'directory'>,
): Promise<Applications> {
  const { registryCacheFile: cacheFile } = config;
  const applications = await openApplications(
    { ...config, registryCacheFile: cacheFile === '' ? join(directory, 'registry.cache') : cacheFile },
    {
      clientName: 'imscope-collector',
      logger,
      report: (failure) => readiness.report('registry', failure),
    },
  );
  addSourceMetrics(registry, 'imscope_collector', applications);
  return applications;
}

function createInterfaceLimit(config: CollectorConfig, { metrics }: Pipeline): InterfaceCardinalityLimit {
  return new InterfaceCardinalityLimit({
    perApplicationMax: config.interfacesMax,
    namesMax: config.interfacesTotalMax,
    onOverflow: () => metrics.interfacesOverflowed.inc(),
  });
}

function serverOptions(
  { config, logger }: CollectorContext,
  parts: Pick<ServerOptions, 'limits' | 'certificate' | 'failure' | 'refusals'> & {
    readonly pipeline: Pipeline;
    readonly admission: Admission;
    readonly keyedIds: KeyedIds;
    readonly interfaces: InterfaceCardinalityLimit;
  },
): ServerOptions {
  const { pipeline, admission, keyedIds, interfaces, limits, certificate, failure, refusals } = parts;
  const { budget, space, metrics, incarnation } = pipeline;
  return {
    host: config.collectorHost,
    port: config.collectorPort,
    proxyProtocol: proxyPortOf(config, metrics),
    certificate,
    bodyBounds: { bytesMax: config.bodyBytesMax, inflatedBytesMax: config.bodyInflatedBytesMax },
    lateMsMax: config.lateHoursMax * HOUR_MS,
    ...admission,
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

function proxyPortOf(config: CollectorConfig, metrics: Pipeline['metrics']): ServerOptions['proxyProtocol'] {
  if (config.proxyProtocolPort === -1) return undefined;
  return {
    host: config.collectorHost,
    port: config.proxyProtocolPort,
    peers: config.proxyProtocolPeers,
    connections: metrics.proxyConnections,
  };
}

/** The first account is written at once, so that the store knows of a collector from its start. */
function startTimers(parts: {
  readonly config: CollectorConfig;
  readonly incarnation: Incarnation;
  readonly earlier: EarlierIncarnations;
  readonly keyedIds: KeyedIds;
  readonly checkDisk: () => Promise<void>;
}): NodeJS.Timeout[] {
  const { config, incarnation, earlier, keyedIds, checkDisk } = parts;
  void incarnation.writeAccount('running');
  return [
    setInterval(() => {
      incarnation.writeDueWindows(Date.now());
      incarnation.log.writeMark();
      void checkDisk();
    }, TICK_MS),
    setInterval(() => void incarnation.writeAccount('running'), config.accountIntervalMs),
    setInterval(() => {
      for (const each of [incarnation, ...earlier.incarnations]) each.log.expire(Date.now());
      void keyedIds.forget(Date.now());
    }, MINUTE_MS),
  ];
}

/** Records of a request go to the open batches of their lanes; those of a request with a key to its own batches. */
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
