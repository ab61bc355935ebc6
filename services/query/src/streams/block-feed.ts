/*
 * Which blocks of the log were stored since a moment, in the order in which they were: the live tail shows their rows. One poll
 * of the ledger serves all tails, and there is none without a tail. The ledger names a block after its rows are stored,
 * so a block that is named is complete.
 *
 * The ledger and not Kafka: what it names is stored once, is filtered and masked by the same SQL as every other answer, and
 * costs one query a second, where the topic would cost the reading of everything that arrives.
 *
 * A block is named once: all that are listed are remembered as long as they can be listed again, also those that were
 * there when the feed began. A ledger row that is written again after a restart is so recognised.
 */
import { TOPICS } from '@imscope/schemas/topics.js';
import { Type } from 'typebox';
import type { TimeWindow } from '../figures/time-window.js';
import { type AskWithin, defineStoreQuery, type ResultBounds } from '../store/ask-store.js';

/** `events`: the event times of their rows. */
export type StoredBlocks = { readonly blockIds: readonly string[]; readonly events: TimeWindow };

export type FeedListener = {
  readonly onBlocks: (blocks: StoredBlocks) => void;
  /** The ledger could not be read; it is read again with the next poll. */
  readonly onFailure: (error: unknown) => void;
};

export type BlockFeed = {
  /** Resolves when what is stored from now on will be named; the result ends it. Rejects as the store does. */
  listen(listener: FeedListener): Promise<() => void>;
};

/** Blocks that waited longer in Kafka before they were stored are not named. */
const APPENDED_WITHIN_S = 7_200;
/** Remembered blocks: 5 a second. Beyond it the oldest are forgotten, and could be named again. */
const KNOWN_MAX = 36_000;
/** A ledger row is visible at most so long after the time of storing it carries. */
const VISIBLE_WITHIN_MS = 60_000;

const BLOCKS = defineStoreQuery(
  'tail_blocks',
  Type.Object({
    block: Type.String(),
    ids: Type.Array(Type.String()),
    first_event_ms: Type.Number(),
    last_event_ms: Type.Number(),
    stored_ms: Type.Number(),
  }),
);

const BLOCKS_SQL = `
SELECT
  toString(cityHash64(cluster, topic, epoch, partition, first_offset)) AS block,
  arrayMap(id -> toString(id), block_ids) AS ids,
  toUnixTimestamp64Milli(assumeNotNull(first_event)) AS first_event_ms,
  toUnixTimestamp64Milli(assumeNotNull(last_event)) AS last_event_ms,
  toUnixTimestamp64Milli(stored_at) AS stored_ms
FROM block_ledger
WHERE endsWith(topic, {topic:String}) AND notEmpty(block_ids) AND isNotNull(first_event)
  AND last_appended > now64(3, 'UTC') - INTERVAL ${APPENDED_WITHIN_S} SECOND
  AND stored_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
ORDER BY stored_at
LIMIT {limit:UInt32}`;

/** Of the rows of one poll: ids, a hash and times. */
const ROW_BYTES = 512;
const BOUNDS: ResultBounds = { rowsMax: KNOWN_MAX + 1, bytesMax: KNOWN_MAX * ROW_BYTES };

/** @param pollMs between the end of a poll and the next */
export function createBlockFeed({ within }: Pick<AskWithin, 'within'>, pollMs: number): BlockFeed {
  const listeners = new Set<FeedListener>();
  let running: { readonly begun: Promise<void> } | undefined;

  const run = (): { readonly begun: Promise<void> } => {
    const known = new Set<string>();
    let sinceMs = 0;
    const list = async () => {
      const params = { topic: TOPICS.requestLog.name, since_ms: sinceMs, limit: KNOWN_MAX };
      const rows = await within(BOUNDS)(BLOCKS, BLOCKS_SQL, params);
      const fresh = rows.filter(({ block }) => !known.has(block));
      for (const { block, stored_ms } of rows) {
        known.add(block);
        sinceMs = Math.max(sinceMs, stored_ms - VISIBLE_WITHIN_MS);
      }
      for (const block of known) {
        if (known.size <= KNOWN_MAX) break;
        known.delete(block);
      }
      return fresh;
    };
    const poll = async (): Promise<void> => {
      if (listeners.size === 0) {
        running = undefined;
        return;
      }
      try {
        const blocks = joined(await list());
        if (blocks !== undefined) for (const { onBlocks } of listeners) onBlocks(blocks);
      } catch (error) {
        for (const { onFailure } of listeners) onFailure(error);
      }
      setTimeout(() => void poll(), pollMs).unref();
    };
    const begun = list().then(
      () => void setTimeout(() => void poll(), pollMs).unref(),
      (error: unknown) => {
        running = undefined;
        throw error;
      },
    );
    return { begun };
  };

  return {
    async listen(listener) {
      listeners.add(listener);
      const end = (): void => void listeners.delete(listener);
      running ??= run();
      try {
        await running.begun;
      } catch (error) {
        end();
        throw error;
      }
      return end;
    },
  };
}

type BlockRow = {
  readonly ids: readonly string[];
  readonly first_event_ms: number;
  readonly last_event_ms: number;
};

function joined(rows: readonly BlockRow[]): StoredBlocks | undefined {
  if (rows.length === 0) return undefined;
  const fromMs = rows.reduce((least, row) => Math.min(least, row.first_event_ms), Infinity);
  const toMs = rows.reduce((greatest, row) => Math.max(greatest, row.last_event_ms), 0) + 1;
  return { blockIds: rows.flatMap(({ ids }) => ids), events: { fromMs, toMs } };
}
