/*
 * Opens a partition for its new owner: where to start, what was seen before, and the worker with its ports into
 * the store and the broker.
 */
import { formatBounds, writeMarkerHeaders } from '@imscope/schemas/block-bounds.js';
import { containerHeader } from '@imscope/schemas/container.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { type Block, BlockCutter } from './block-cutter.js';
import type { BlockPlace } from './block-content.js';
import { writeDeadLetters } from './dead-letter.js';
import type { GroupMembership } from './group-membership.js';
import { readSeenBatches, writeLedgerRow } from './ledger.js';
import { PartitionWorker } from './partition-worker.js';
import { findStart } from './resume.js';
import { type StoreBlockPorts, insertBlock, storeBlock } from './store-block.js';
import type { Stream } from './streams.js';

/** @param at.endOffset the end of the partition's log as last told */
export async function openPartition(
  membership: GroupMembership,
  stream: Stream,
  at: { topic: string; partition: number; endOffset: number },
): Promise<PartitionWorker> {
  const { parts, options } = membership;
  const { topic, partition } = at;
  const start = await findStart(
    { admin: membership.admin, store: parts.store, group: options.consumerGroup },
    { ...at, cluster: membership.cluster },
  );
  const place: BlockPlace = { cluster: membership.cluster, topic, partition, epoch: start.epoch };
  const seen = await readSeenBatches(parts.store, place);
  parts.logger.info({ ...place, nextOffset: start.nextOffset, boots: seen.boots }, 'took a partition');
  const cutter = new BlockCutter({ nextOffset: start.nextOffset, bounds: start.bounds, seen });
  return new PartitionWorker(
    cutter,
    {
      store: (block, owned) => storeCounted(membership, stream, place, block, owned),
      appendMarker: async (bounds) => {
        const [sent] = await membership.producer.send({
          topic,
          acks: -1,
          messages: [
            { partition, value: containerHeader(stream.schema), headers: writeMarkerHeaders(bounds) },
          ],
        });
        parts.metrics.markers.inc({ topic });
        return Number(sent?.baseOffset ?? Number.NaN);
      },
      fail: parts.fail,
      onLost: () => parts.metrics.lost.inc({ topic }),
    },
    Date.now(),
  );
}

async function storeCounted(
  membership: GroupMembership,
  stream: Stream,
  place: BlockPlace,
  cut: Block,
  owned: () => boolean,
): Promise<void> {
  const { metrics, readiness } = membership.parts;
  const { topic } = place;
  const startedMs = Date.now();
  const block = await storeBlock(stream, place, cut, storePorts(membership, place, owned));
  readiness.report('store');
  metrics.rowsStored.inc({ topic }, block.rows);
  metrics.blocks.inc({ topic, cut: block.cut });
  metrics.duplicates.inc({ topic }, block.duplicates.rows);
  for (const { reason } of block.dead) metrics.dead.inc({ topic, reason });
  metrics.storeSeconds.observe({ topic }, (Date.now() - startedMs) / 1000);
  metrics.ageSeconds.observe({ topic }, Math.max(0, Date.now() - block.firstAppendedMs) / 1000);
}

function storePorts(membership: GroupMembership, place: BlockPlace, owned: () => boolean): StoreBlockPorts {
  const { parts, producer, consumer, options } = membership;
  const { store, metrics, readiness, logger } = parts;
  const { topic, partition } = place;
  return {
    insert: (stream, insert) => insertBlock(store, stream, insert),
    writeLedger: (row) => writeLedgerRow(store, row),
    writeDeadLetters: (origin, dead) =>
      writeDeadLetters(producer, options.topicPrefix + TOPICS.deadLetter.name, origin, dead),
    commit: async (_place, block) => {
      if (!owned()) return;
      const offset = String(block.lastOffset + 1);
      try {
        await consumer.commitOffsets([
          { topic, partition, offset, metadata: formatBounds(block.nextBounds) },
        ]);
      } catch (error) {
        logger.warn(
          { err: error, topic, partition },
          'commit failed: the next owner finds the place in the ledger',
        );
      }
    },
    owned,
    onTrouble: (error, verdict) => {
      metrics.troubles.inc({ verdict });
      readiness.report('store', error instanceof Error ? error.message : String(error));
      logger.warn({ err: error, verdict, topic, partition }, 'storing failed, trying again');
    },
  };
}
