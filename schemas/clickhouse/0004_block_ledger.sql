-- One row for every block of the log that was stored: what it spans, what it held, what was left out.
-- Written after the block's rows and before the offsets are committed. A row written twice is one row.
-- next_rows_max and next_bytes_max are the bounds in force for the block that follows: like the cut itself they
-- are a function of the log alone (a marker may carry new ones), so any owner reads the same.
-- batches: the batch ids of the block as closed intervals of sequences for each boot.
-- Nothing personal stands here; kept 14 days, twice the term of the logs it accounts for.
CREATE TABLE IF NOT EXISTS block_ledger
(
    `cluster` LowCardinality(String),
    `topic` LowCardinality(String),
    `epoch` UInt32,
    `partition` Int32,
    `first_offset` Int64,
    `last_offset` Int64,
    `cut` Enum8('rows' = 1, 'bytes' = 2, 'marker' = 3),
    `messages` UInt32,
    `rows` UInt64,
    `duplicate_messages` UInt32,
    `duplicate_rows` UInt64,
    `dead_messages` UInt32,
    `dead_rows` UInt64,
    `block_ids` Array(UInt64),
    `batches` Array(Tuple(boot String, first_sequence Int64, last_sequence Int64, records UInt64)) CODEC(ZSTD(1)),
    `first_appended` DateTime64(3, 'UTC'),
    `last_appended` DateTime64(3, 'UTC'),
    `first_event` Nullable(DateTime64(3, 'UTC')),
    `last_event` Nullable(DateTime64(3, 'UTC')),
    `checksum` UInt64,
    `next_rows_max` UInt32,
    `next_bytes_max` UInt32,
    `stored_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
PARTITION BY toStartOfInterval(last_appended, INTERVAL 1 DAY)
ORDER BY (cluster, topic, epoch, partition, first_offset)
TTL toDateTime(last_appended) + INTERVAL 14 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, merge_with_ttl_timeout = 600, non_replicated_deduplication_window = 10000;
