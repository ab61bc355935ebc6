/*
 * Stops a collector: connections first, then the listener, then everything accepted becomes durable, then the final
 * account is written, and batches go to Kafka as long as the time allows. What is left stays in the spool.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@imscope/runtime/logger.js';
import type { EarlierIncarnations } from './incarnations/earlier-incarnations.js';
import type { Incarnation } from './incarnations/incarnation.js';
import type { Pipeline } from './pipeline.js';
import type { CollectorServer } from './server.js';
import type { Tailer } from './tail/tailer.js';

/**
 * A stop takes 25 s at most, counted from its beginning, DRAIN_MS included: batches are waited for until 17 s, so that
 * their requests are answered within 19 s; what is left then has until 23 s to reach Kafka.
 */
const DELIVER_MS = 17_000;
const ANSWER_MS = 19_000;
const FINISH_MS = 23_000;
/** While Kafka is away a stop does not wait for it. */
const FINISH_AWAY_MS = 200;

export type StoppedParts = {
  readonly pipeline: Pipeline;
  readonly server: CollectorServer | undefined;
  readonly tailer: Tailer | undefined;
  readonly earlier: EarlierIncarnations;
  readonly timers: readonly NodeJS.Timeout[];
  readonly logger: Logger;
};

export async function stopCollector(parts: StoppedParts, drainMs: number): Promise<void> {
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
  // Every request is answered by now: the last metrics and the final account include them all.
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

/** Before the log may be deleted: the checkpoint must hold the positions of all files by then. */
async function saveTail(incarnation: Incarnation, tailer: Tailer | undefined, logger: Logger): Promise<void> {
  if (tailer === undefined) return;
  try {
    await incarnation.sync();
    await tailer.saveAll();
  } catch (error) {
    logger.error({ err: error }, 'the spool cannot be synced: how far files were read is not saved');
  }
}
