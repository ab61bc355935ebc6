-- One row for every interface request that was logged at the edge. Kept 7 days.
-- Partitions of 4 hours are dropped whole, so that nothing outlives its term by more than 5 hours:
-- 4 hours until a partition's last row expires, 10 minutes until the merge that drops it, and slack.
-- block_id and block_row name the Kafka block a row came in and its place there (see block_ledger).
-- Sorted by application and time: every question is asked of one application over a span of time.
CREATE TABLE IF NOT EXISTS request_log
(
    `time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `sdk_app_id` UInt64 CODEC(ZSTD(1)),
    `interface` LowCardinality(String),
    `exit_ip` IPv6 CODEC(ZSTD(1)),
    `latency_us` UInt64 CODEC(T64, LZ4),
    `upstream_us` Nullable(UInt64) CODEC(T64, LZ4),
    `rtt_us` Nullable(UInt64) CODEC(T64, LZ4),
    `code` Nullable(Int32) CODEC(ZSTD(1)),
    `http_status` UInt16 CODEC(ZSTD(1)),
    `outcome` Enum8('success' = 0, 'caller_error' = 1, 'service_error' = 2, 'unknown' = 3) CODEC(ZSTD(1)),
    `exception` LowCardinality(String),
    `cause` String CODEC(ZSTD(1)),
    `node` LowCardinality(String),
    `region` LowCardinality(String),
    `platform` LowCardinality(String),
    `sdk_version` LowCardinality(String),
    `request_id` String CODEC(ZSTD(1)),
    `weight` UInt32 DEFAULT 1 CODEC(ZSTD(1)),
    `block_id` UInt64 CODEC(ZSTD(1)),
    `block_row` UInt32 CODEC(T64, ZSTD(1)),
    INDEX request_id_index request_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 4 HOUR)
ORDER BY (sdk_app_id, time)
TTL toDateTime(time) + INTERVAL 7 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, merge_with_ttl_timeout = 600, non_replicated_deduplication_window = 10000;
