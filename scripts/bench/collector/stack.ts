/*
 * The stack of the bench: a broker with the topics, and three built collectors, each with its own spool: one measured
 * alone, two measured together. Started once, so that processes are warm in every round.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKafka, createTopics } from '@imscope/runtime/kafka-client.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Broker } from '../../stack/broker.js';
import { readMetric } from '../../stack/read-metric.js';
import type { Env } from '../../stack/service-env.js';
import type { RunningService } from '../../stack/services.js';
import { type ListeningService, startStack } from '../../stack/stack.js';

export type BenchStack = {
  readonly broker: Broker;
  readonly token: string;
  readonly alone: ListeningService;
  readonly pair: readonly ListeningService[];
  /** Starts a collector that only tails a file. @returns the collector and the file */
  startTailing(logFormat: string): Promise<{ readonly service: RunningService; readonly file: string }>;
  end(): Promise<void>;
};

const PARTITIONS = 8;
const BROKER_HEAP_MB = 512;
const PREFIX = 'bench.';

export async function startBenchStack(): Promise<BenchStack> {
  return startStack({ name: 'bench', mode: 'built', topicPrefix: PREFIX }, async (stack) => {
    const broker = await stack.startBroker({ heapMb: BROKER_HEAP_MB });
    await makeTopics(broker.address);
    const startOne = async (name: string, env: Env = {}): Promise<ListeningService> =>
      stack.startCollector({ name: `collector ${name}`, env: { COLLECTOR_NAME: name, ...env } });
    const startTailing: BenchStack['startTailing'] = async (logFormat) => {
      const file = join(stack.directory, 'access.log');
      const service = await startOne('tailing', {
        COLLECTOR_LISTEN: 'false',
        // It receives no requests, so it needs no tokens.
        REGISTRY_FILE: '',
        TAIL_FILES: file,
        TAIL_LOG_FORMAT: logFormat,
        TAIL_CODE_VARIABLE: 'upstream_http_x_im_code',
      });
      return { service, file };
    };
    const alone = await startOne('alone');
    const pair = [await startOne('first'), await startOne('second')];
    const { writeToken: token } = stack.credentials;
    return { broker, token, alone, pair, startTailing, end: () => stack.end() };
  });
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

/** Waits until the spool of the outage is sent to Kafka. Throws at the time limit. */
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
