/*
 * Where a new owner of a partition starts: behind whatever is farther, the ledger or the committed offset. A log
 * that ends before the ledger's position is another log: the topic was made anew, and a new epoch begins.
 */
import type { Admin } from 'kafkajs';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { INITIAL_BOUNDS, parseBounds } from '@imscope/schemas/block-bounds.js';
import { type LedgerPosition, readPosition } from './ledger.js';

/** @param at.endOffset the end of the partition's log */
export async function findStart(
  ports: { admin: Admin; store: ClickHouseClient; group: string },
  at: { cluster: string; topic: string; partition: number; endOffset: number },
): Promise<LedgerPosition> {
  const { cluster, topic, partition } = at;
  const ledger = await readPosition(ports.store, { cluster, topic, partition });
  if (ledger.nextOffset > at.endOffset)
    return { epoch: ledger.epoch + 1, nextOffset: 0, bounds: INITIAL_BOUNDS };
  const committed = await readCommitted(ports.admin, ports.group, at);
  if (committed === undefined || committed.offset <= ledger.nextOffset || committed.offset > at.endOffset)
    return ledger;
  return {
    epoch: ledger.epoch,
    nextOffset: committed.offset,
    bounds: parseBounds(committed.metadata) ?? ledger.bounds,
  };
}

async function readCommitted(
  admin: Admin,
  group: string,
  at: { topic: string; partition: number },
): Promise<{ offset: number; metadata: string } | undefined> {
  const [topic] = await admin.fetchOffsets({ groupId: group, topics: [at.topic] });
  const found = topic?.partitions.find(({ partition }) => partition === at.partition);
  if (found === undefined || Number(found.offset) < 0) return undefined;
  return { offset: Number(found.offset), metadata: found.metadata ?? '' };
}
