/* Where entries are published: Redis, the compacted topic, and names to ClickHouse. One sink is written by one publisher at a time. */
import type { EntryChange } from '@imscope/schemas/registry-entry.js';

/** What a sink held after it was last written; it is kept in the registry's database. */
export type SinkPosition = {
  /** Names the complete publication that began this content. */
  readonly generation: string;
  /** The newest change in it. */
  readonly revision: number;
  /** Deleted keys up to this revision are no longer in it. */
  readonly forgotten: number;
  /** Of the topic: the offset after its last message. Of ClickHouse: the highest revision written. Of Redis: 0. */
  readonly end: number;
};

/** Changes in the order of their revisions, a bounded number in each. */
export type ChangePages = AsyncIterable<readonly EntryChange[]>;

export type EntrySink = {
  readonly name: 'redis' | 'topic' | 'clickhouse';
  /** False where it holds something else: it was emptied, created again, or set back, or another publisher wrote it. */
  isAt(position: SinkPosition): Promise<boolean>;
  /** Publishes everything; keys that are not among the pages are deleted for every receiver. */
  republish(pages: ChangePages, generation: string, revision: number): Promise<SinkPosition>;
  publish(changes: readonly EntryChange[], position: SinkPosition): Promise<SinkPosition>;
  /** Removes keys that were deleted at or before a revision. */
  forget(keys: readonly string[], revision: number, position: SinkPosition): Promise<SinkPosition>;
  /** Ends its connections. The next call opens them again, so it is also called where one failed. */
  close(): Promise<void>;
};
