-- Request logs sorted by application and minute, instead of application and millisecond. Within a minute rows stay as
-- they came, so that a merge copies whole runs where it compared row by row: it takes half the processor time, at the
-- same bytes on disk (measured: 1.3 instead of 2.7 s for a million rows, once). A span of time is found as before.
-- The rows that are there are copied, about 4 s for a million. Meanwhile the table is away: aggregators wait, questions
-- fail. Stop the aggregators before, for the copy does not know the tokens of inserts that are asked again.
RENAME TABLE IF EXISTS request_log TO request_log_by_time;

-- Waits for inserts that had begun before.
DETACH TABLE IF EXISTS request_log_by_time SYNC;
ATTACH TABLE IF NOT EXISTS request_log_by_time;

CREATE OR REPLACE TABLE request_log_by_minute
(
    `time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `sdk_app_id` UInt64 CODEC(LZ4),
    `interface` LowCardinality(String),
    `exit_ip` IPv6 CODEC(ZSTD(1)),
    `latency_us` UInt64 CODEC(T64, LZ4),
    `upstream_us` Nullable(UInt64) CODEC(T64, LZ4),
    `rtt_us` Nullable(UInt64) CODEC(T64, LZ4),
    `code` Nullable(Int32) CODEC(LZ4),
    `http_status` UInt16 CODEC(LZ4),
    `outcome` Enum8('success' = 0, 'caller_error' = 1, 'service_error' = 2, 'unknown' = 3) CODEC(LZ4),
    `exception` LowCardinality(String),
    `cause` String CODEC(LZ4),
    `node` LowCardinality(String),
    `region` LowCardinality(String),
    `platform` LowCardinality(String),
    `sdk_version` LowCardinality(String),
    `request_id` String CODEC(ZSTD(1)),
    `weight` UInt32 DEFAULT 1 CODEC(LZ4),
    `block_id` UInt64 CODEC(LZ4),
    `block_row` UInt32 CODEC(Delta, T64, LZ4),
    INDEX request_id_index request_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 4 HOUR)
ORDER BY (sdk_app_id, toStartOfMinute(time))
TTL toDateTime(time) + INTERVAL 7 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, merge_with_ttl_timeout = 600, non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 134217728
AS SELECT * FROM request_log_by_time;

RENAME TABLE IF EXISTS request_log_by_minute TO request_log;

DROP TABLE IF EXISTS request_log_by_time SYNC;
