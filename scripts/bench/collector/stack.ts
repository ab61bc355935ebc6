/*
 * What the bench runs against: a broker of its own with the topics, and three collectors as built, each with its
 * own spool: one measured alone, two measured together. Started once, so that every round meets warm processes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKafka, createTopics } from '@imscope/runtime/kafka-client.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { type Broker, startBroker } from '../../stack/broker.js';
import { openCredentials } from '../../stack/credentials.js';
import { freePort } from '../../stack/ports.js';
import { readMetric } from '../../stack/read-metric.js';
import { type RunningService, startService } from '../../stack/services.js';

export type BenchCollector = {
  readonly port: number;
  readonly pid: number;
  readonly service: RunningService;
};

export type BenchStack = {
  readonly broker: Broker;
  readonly token: string;
  readonly alone: BenchCollector;
  readonly pair: readonly BenchCollector[];
  /** Starts one that takes nothing but the lines of a file, which is returned. */
  startTailing(logFormat: string): Promise<{ readonly service: RunningService; readonly file: string }>;
  end(): Promise<void>;
};

const PARTITIONS = 8;
const BROKER_HEAP_MB = 512;
const PREFIX = 'bench.';

export async function startBenchStack(): Promise<BenchStack> {
  const directory = mkdtempSync(join(tmpdir(), 'imscope-bench-'));
  const started: (() => Promise<unknown>)[] = [];
  const end = async (): Promise<void> => {
    for (const stop of started.toReversed()) await stop();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const broker = await startBroker({ dataDir: join(directory, 'kafka'), heapMb: BROKER_HEAP_MB });
    started.push(() => broker.stop());
    await makeTopics(broker.address);
    const credentials = openCredentials(join(directory, 'credentials'));
    const start = async (name: string, env: Record<string, string>): Promise<RunningService> => {
      const service = await startService({
        name: 'collector',
        mode: 'built',
        env: {
          COLLECTOR_NAME: name,
          SPOOL_DIR: join(directory, `spool-${name}`),
          KAFKA_BROKERS: broker.address,
          KAFKA_TOPIC_PREFIX: PREFIX,
          ...env,
        },
        logFile: join(directory, `${name}.log`),
      });
      started.push(() => service.stop());
      return service;
    };
    const startOne = async (name: string): Promise<BenchCollector> => {
      const port = await freePort();
      const registry = credentials.registryFile;
      const service = await start(name, { COLLECTOR_PORT: String(port), REGISTRY_FILE: registry });
      return { port, pid: service.pid, service };
    };
    const startTailing: BenchStack['startTailing'] = async (logFormat) => {
      const file = join(directory, 'access.log');
      const service = await start('tailing', {
        COLLECTOR_LISTEN: 'false',
        TAIL_FILES: file,
        TAIL_LOG_FORMAT: logFormat,
        TAIL_CODE_VARIABLE: 'upstream_http_x_im_code',
      });
      return { service, file };
    };
    const alone = await startOne('alone');
    const pair = [await startOne('first'), await startOne('second')];
    return { broker, token: credentials.writeToken, alone, pair, startTailing, end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function makeTopics(broker: string): Promise<void> {
  const settings = {
    kafkaBrokers: [broker],
    kafkaTopicPrefix: PREFIX,
    kafkaTls: false,
    kafkaSaslMechanism: 'none',
    kafkaSaslUsername: '',
    kafkaSaslPassword: '',
  } as const;
  const admin = createKafka(settings, 'imscope-bench', createLogger('bench', 'error')).admin();
  await admin.connect();
  const wanted = { prefix: PREFIX, partitions: PARTITIONS, replicationFactor: 1 };
  await createTopics(admin, Object.values(TOPICS), wanted);
  await admin.disconnect();
}

const DRAIN_MS_MAX = 60_000;

/** Waits until Kafka has all that stood in the spool while it was away. Throws where that takes too long. */
export async function untilDrained(service: RunningService): Promise<void> {
  const deadline = Date.now() + DRAIN_MS_MAX;
  for (;;) {
    const [away, batches] = [
      await readMetric(service.adminPort, 'imscope_collector_kafka_away'),
      await readMetric(service.adminPort, 'imscope_collector_spool_batches'),
    ];
    if (away === 0 && batches === 0) return;
    if (Date.now() > deadline) {
      throw new Error(`${batches} batches still wait in the spool ${DRAIN_MS_MAX} ms after Kafka came back`);
    }
    await sleep(100);
  }
}
