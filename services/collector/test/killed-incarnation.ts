/*
 * An incarnation with a real log in its own directory and a fake Kafka, for tests of what a killed process leaves:
 * `image` copies the log as it is on the disk at that moment, including half-written rounds, and what Kafka had by then.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@imscope/runtime/logger.js';
import { EXPIRED_HEADER, readBatchHeaders } from '@imscope/schemas/batch-headers.js';
import { decodeContainer } from '@imscope/schemas/container-decoder.js';
import { NO_COLLECTOR_FACTS } from '@imscope/schemas/edge-account.js';
import { singleLane } from '@imscope/schemas/lanes.js';
import { DEFAULT_TERMS } from '@imscope/schemas/retention.js';
import { Registry } from 'prom-client';
import { Incarnation, type IncarnationOptions } from '../src/incarnations/incarnation.js';
import { edgeTermsByTopic } from '../src/incarnations/expired-batch.js';
import type { CoveredSpan } from '../src/spool/segment-head.js';
import { Batcher } from '../src/batches/batcher.js';
import { ByteBudget } from '../src/limits/byte-budget.js';
import type { KafkaProducer } from '../src/kafka/kafka-producer.js';
import { KeyedIds } from '../src/spool/keyed-ids.js';
import { createMetrics } from '../src/metrics.js';
import { recoverIncarnation } from '../src/incarnations/recover-incarnation.js';
import { SpoolSpace } from '../src/spool/spool-space.js';

export type KafkaMessage = {
  readonly topic: string;
  readonly id: string;
  readonly boot: string;
  readonly partition: number;
  readonly sequence: number;
  readonly records: readonly unknown[];
  /** How many records were removed because they waited too long. */
  readonly expired: number;
};

/** A fake Kafka: messages in order. `fails` decides for each produce request whether it is lost before or after the write. */
export class TestKafka {
  messages: KafkaMessage[] = [];
  fails: () => 'before' | 'after' | undefined = () => undefined;

  readonly send: KafkaProducer['send'] = (topic) => async (partition, messages) => {
    const failure = this.fails();
    if (failure === 'before') throw new Error('the connection broke before');
    for (const { value, headers } of messages) {
      const read = readBatchHeaders(headers, value);
      assert(read.ok);
      const decoded = decodeContainer(value);
      assert(decoded.ok);
      assert.equal(read.headers.records, decoded.records.length);
      const { boot, sequence } = read.headers.batch;
      const id = `${topic} ${boot}:${partition}:${sequence}`;
      const expired = Number(headers[EXPIRED_HEADER] ?? 0);
      this.messages.push({ topic, id, boot, partition, sequence, records: decoded.records, expired });
    }
    await new Promise(setImmediate);
    if (failure === 'after') throw new Error('the answer was lost');
  };

  /** Each batch once, as consumers keep it. */
  distinct(topic: string): KafkaMessage[] {
    const byId = new Map(
      this.messages.filter((message) => message.topic === topic).map((each) => [each.id, each]),
    );
    return [...byId.values()];
  }
}

export type IncarnationWorld = {
  readonly directory: string;
  readonly kafka: TestKafka;
  readonly options: Omit<IncarnationOptions, 'identity' | 'directory'>;
  readonly keyedIds: KeyedIds;
  remove(): void;
};

function zero(): number {
  return 0;
}

export async function createWorld(kafka = new TestKafka()): Promise<IncarnationWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'imscope-boot-'));
  const logger = createLogger('boot-test', 'fatal');
  const metrics = createMetrics(new Registry(), {
    bufferedBytes: zero,
    inFlight: zero,
    metricWindows: zero,
    metricSeries: zero,
    accountApplications: zero,
    spoolBytes: zero,
    spoolBatches: zero,
    kafkaAway: zero,
    keys: zero,
  });
  const options = {
    space: new SpoolSpace(directory, 1 << 30),
    metricLanes: singleLane(2),
    settings: { metricGraceMs: 0, metricWindowsMax: 50, produceInFlightMax: 4 },
    budget: new ByteBudget(1 << 30),
    producer: kafka,
    availability: { failure: undefined, failed: () => undefined, succeeded: () => undefined },
    terms: edgeTermsByTopic(DEFAULT_TERMS),
    onFree: () => undefined,
    metrics,
    logger,
    facts: () => NO_COLLECTOR_FACTS,
  };
  const keyedIds = await KeyedIds.open(directory, logger, Date.now());
  return {
    directory,
    kafka,
    options,
    keyedIds,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

const BOOT = 'boot000000000001';

export function newIncarnation(world: IncarnationWorld, covers?: CoveredSpan): Incarnation {
  const directory = join(world.directory, 'boot');
  mkdirSync(directory, { recursive: true });
  const identity = { collector: 'edge-1', boot: BOOT, version: '1.0.0', startedMs: 1_000, covers };
  return new Incarnation({ ...world.options, identity, directory });
}

/** The lanes of the batches that `batcherOf` opens: a lane is compared by identity. */
export const LANES = singleLane(3);

/** Open batches of an incarnation, each ready as soon as it has a record. */
export function batcherOf(incarnation: Incarnation, { options }: IncarnationWorld): Batcher {
  return new Batcher({
    lanes: LANES,
    recordsMax: 1_000,
    lingerMs: 0,
    timeoutMs: 60_000,
    budget: options.budget,
    count: (batch, each) => incarnation.accounting.count(batch, each, Date.now()),
    countUnlogged: (batch, each) => incarnation.accounting.countUnlogged(batch, each, Date.now()),
    onReady: () => undefined,
  });
}

/** Another world with what a kill at this moment would leave: the log, and what Kafka has. */
export async function image(world: IncarnationWorld): Promise<IncarnationWorld> {
  const copy = await createWorld();
  // Both in one turn: what is sent between them would be in neither, because it leaves the log then.
  copy.kafka.messages = [...world.kafka.messages];
  copyLog(join(world.directory, 'boot'), join(copy.directory, 'boot'));
  return copy;
}

/** A file may be removed during the copy: then it is copied again. */
function copyLog(from: string, to: string): void {
  for (let attempt = 0; attempt < 10; attempt++) {
    rmSync(to, { recursive: true, force: true });
    mkdirSync(to);
    if (!existsSync(from)) return;
    try {
      cpSync(from, to, { recursive: true });
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  assert.fail(`${from} cannot be copied`);
}

export async function recoverIn(world: IncarnationWorld): Promise<Incarnation | undefined> {
  const { onFree: _, ...options } = world.options;
  return recoverIncarnation({
    ...options,
    id: BOOT,
    directory: join(world.directory, 'boot'),
    keyedIds: world.keyedIds,
  });
}
