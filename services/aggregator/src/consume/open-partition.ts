/*
 * Opens a partition for its new owner: where to start, what was seen before, and the worker with its ports into
 * the store and the broker.
 */
import { type Block, BlockCutter } from '../blocks/block-cutter.js';
import type { BlockPlace } from '../blocks/block-content.js';
import type { FetchedMessages, LoopContext } from './loop-context.js';
import { PartitionWorker } from './partition-worker.js';
import { findStart, formatCommit } from './resume.js';
import type { StoreBlockPorts } from '../store/store-block.js';
import type { Stream } from '../blocks/streams.js';
import type { TopicPartition } from './topic-partition.js';

/** `epoch`: how often the topic was created again, as the ledger counts. */
export type OpenPartition = { readonly worker: PartitionWorker; readonly epoch: number };

export type Opened =
  | ({ readonly kind: 'opened' } & OpenPartition)
  /** The message at this offset is needed to open the partition. */
  | { readonly kind: 'fetch_first'; readonly offset: number };

/** @param batch from the partition's log @throws where store or broker do not answer */
export async function openPartition(
  context: LoopContext,
  stream: Stream,
  batch: TopicPartition & FetchedMessages,
): Promise<Opened> {
  const { cluster } = context;
  const { topic, partition } = batch;
  const at = { topic, partition };
  const found = await findStart(context, { cluster, topic, partition }, batch);
  if (found.kind === 'fetch_first') return found;
  const { epoch, nextOffset, bounds, seen, readTo } = found.start;
  const place: BlockPlace = { cluster, topic, partition, epoch };
  context.logger.info({ ...place, nextOffset, boots: seen.incarnations }, 'took a partition');
  const worker = new PartitionWorker(
    new BlockCutter(stream, { nextOffset, bounds, seen }),
    {
      store: (block, owned) => storeCounted(context, stream, place, block, owned),
      appendMarker: async (next) => {
        const offset = await context.broker.appendMarker(at, stream, next);
        context.metrics.markers.inc({ topic });
        return offset;
      },
      commitRead: (read) =>
        commit(context, place, read.nextOffset, formatCommit(epoch, read.bounds, read.readTo)),
      fail: context.fail,
      onLost: () => context.metrics.lost.inc({ topic }),
    },
    { nowMs: context.timing.nowMs(), readTo },
  );
  return { kind: 'opened', worker, epoch };
}

async function storeCounted(
  context: LoopContext,
  stream: Stream,
  place: BlockPlace,
  cut: Block,
  owned: () => boolean,
): Promise<void> {
  const { metrics, readiness, timing } = context;
  const { topic } = place;
  const startedMs = timing.nowMs();
  const block = await context.storeBlock(stream, place, cut, storePorts(context, place, owned));
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
  { broker, logger }: LoopContext,
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

function storePorts(context: LoopContext, place: BlockPlace, owned: () => boolean): StoreBlockPorts {
  const { broker, store, timing, metrics, readiness, logger } = context;
  const { topic, partition } = place;
  return {
    insert: store.insert,
    writeLedger: store.writeLedger,
    writeDeadLetters: broker.writeDeadLetters,
    commit: async (_place, block) => {
      if (!owned()) return;
      await commit(context, place, block.lastOffset + 1, formatCommit(place.epoch, block.nextBounds));
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
