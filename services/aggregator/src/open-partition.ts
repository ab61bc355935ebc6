/*
 * Opens a partition for its new owner: where to start, what was seen before, and the worker with its ports into
 * the store and the broker.
 */
import { type Block, BlockCutter } from './block-cutter.js';
import type { BlockPlace } from './block-content.js';
import type { FetchedMessages, LoopParts } from './consumer-parts.js';
import { PartitionWorker } from './partition-worker.js';
import { findStart, formatCommit } from './resume.js';
import type { StoreBlockPorts } from './store-block.js';
import type { Stream } from './streams.js';
import type { TopicPartition } from './topic-partition.js';

/** `epoch`: which life of its topic, as the ledger counts them. */
export type OpenPartition = { readonly worker: PartitionWorker; readonly epoch: number };

export type Opened =
  | ({ readonly kind: 'opened' } & OpenPartition)
  /** The message at this offset must be at hand to open the partition. */
  | { readonly kind: 'look'; readonly offset: number };

/** @param batch from the partition's log @throws where store or broker do not answer */
export async function openPartition(
  parts: LoopParts,
  stream: Stream,
  batch: TopicPartition & FetchedMessages,
): Promise<Opened> {
  const { cluster } = parts;
  const { topic, partition } = batch;
  const at = { topic, partition };
  const found = await findStart(parts, { cluster, topic, partition }, batch);
  if (found.kind === 'look') return found;
  const { epoch, nextOffset, bounds, seen, readTo } = found.start;
  const place: BlockPlace = { cluster, topic, partition, epoch };
  parts.logger.info({ ...place, nextOffset, boots: seen.boots }, 'took a partition');
  const worker = new PartitionWorker(
    new BlockCutter(stream, { nextOffset, bounds, seen }),
    {
      store: (block, owned) => storeCounted(parts, stream, place, block, owned),
      appendMarker: async (next) => {
        const offset = await parts.broker.appendMarker(at, stream, next);
        parts.metrics.markers.inc({ topic });
        return offset;
      },
      commitRead: (read) =>
        commit(parts, place, read.nextOffset, formatCommit(epoch, read.bounds, read.readTo)),
      fail: parts.fail,
      onLost: () => parts.metrics.lost.inc({ topic }),
    },
    { nowMs: parts.timing.nowMs(), readTo },
  );
  return { kind: 'opened', worker, epoch };
}

async function storeCounted(
  parts: LoopParts,
  stream: Stream,
  place: BlockPlace,
  cut: Block,
  owned: () => boolean,
): Promise<void> {
  const { metrics, readiness, timing } = parts;
  const { topic } = place;
  const startedMs = timing.nowMs();
  const block = await parts.storeBlock(stream, place, cut, storePorts(parts, place, owned));
  readiness.report('store');
  metrics.rowsStored.inc({ topic }, block.rows);
  metrics.blocks.inc({ topic, cut: block.cut });
  metrics.duplicates.inc({ topic }, block.duplicates.rows);
  for (const { reason } of block.dead) metrics.dead.inc({ topic, reason });
  const nowMs = timing.nowMs();
  metrics.storeSeconds.observe({ topic }, (nowMs - startedMs) / 1000);
  metrics.ageSeconds.observe({ topic }, Math.max(0, nowMs - block.firstAppendedMs) / 1000);
}

async function commit(
  { broker, logger }: LoopParts,
  { topic, partition }: BlockPlace,
  offset: number,
  metadata: string,
): Promise<void> {
  try {
    await broker.commit({ topic, partition }, offset, metadata);
  } catch (error) {
    logger.warn(
      { err: error, topic, partition },
      'commit failed: the next owner finds the place in the ledger',
    );
  }
}

function storePorts(parts: LoopParts, place: BlockPlace, owned: () => boolean): StoreBlockPorts {
  const { broker, store, timing, metrics, readiness, logger } = parts;
  const { topic, partition } = place;
  return {
    insert: store.insert,
    writeLedger: store.writeLedger,
    writeDeadLetters: broker.writeDeadLetters,
    commit: async (_place, block) => {
      if (!owned()) return;
      await commit(parts, place, block.lastOffset + 1, formatCommit(place.epoch, block.nextBounds));
    },
    owned,
    onTrouble: (error, verdict) => {
      metrics.troubles.inc({ verdict });
      readiness.report('store', error instanceof Error ? error.message : String(error));
      logger.warn({ err: error, verdict, topic, partition }, 'storing failed, trying again');
    },
    timing,
  };
}
