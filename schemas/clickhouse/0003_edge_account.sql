-- What each boot of each collector says it took in and sent: cumulative, every minute, even at zero.
-- The other side of the balance against block_ledger. Kept 7 days, as long as the logs it vouches for.
CREATE TABLE IF NOT EXISTS edge_account
(
    `time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `collector` LowCardinality(String),
    `boot` String CODEC(ZSTD(1)),
    `started` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `version` LowCardinality(String),
    `sequence` UInt64 CODEC(ZSTD(1)),
    `chunk` UInt32 CODEC(ZSTD(1)),
    `chunks` UInt32 CODEC(ZSTD(1)),
    `final` Bool,
    `partitions` Array(Tuple(topic String, partition Int32, last_sequence Int64, records UInt64)) CODEC(ZSTD(1)),
    `applications` Array(Tuple(sdk_app_id UInt64, accepted UInt64, sampled_out UInt64, rejected Map(String, UInt64))) CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 1 DAY)
ORDER BY (collector, boot, sequence, chunk)
TTL toDateTime(time) + INTERVAL 7 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, merge_with_ttl_timeout = 600, non_replicated_deduplication_window = 10000;
