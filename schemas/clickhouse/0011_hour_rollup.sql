-- Coarser sums of interface_metric for hours that have ended, and what the logs hold of the same hours. One member of the
-- aggregators' group builds them (services/aggregator/src/rollup); no view on the insert path does. Kept 2 days, as the
-- metrics they are made of.
-- An hour is built again where rows of it arrive later, under a greater version. hour_rollup_build names the versions that
-- are complete; readers use the greatest of an hour and kind. Older versions are deleted some minutes later, so a reader
-- sees one complete build, never two and never none.
--   application_hour      sums of an application
--   application_10m       the same of ten minutes
--   interface_hour        sums by interface and region, with codes
--   logged                how many rows and which weight the logs held when they were counted
--   coded                 the weight of the logs by interface, code and outcome, without successes of code 0
-- Questions read a few rows of one application, or all of a kind: granules and blocks are small for the former.
CREATE TABLE IF NOT EXISTS hour_rollup
(
    `kind` Enum8('application_hour' = 1, 'application_10m' = 2, 'interface_hour' = 3, 'logged' = 4, 'coded' = 5),
    `window_start` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `version` UInt64 CODEC(ZSTD(1)),
    `sdk_app_id` UInt64 CODEC(ZSTD(1)),
    `interface` LowCardinality(String),
    `region` LowCardinality(String),
    `success` UInt64 CODEC(T64, LZ4),
    `caller_error` UInt64 CODEC(T64, LZ4),
    `service_error` UInt64 CODEC(T64, LZ4),
    `unknown` UInt64 CODEC(T64, LZ4),
    `codes` Map(String, UInt64) CODEC(ZSTD(1)),
    `latency_sum_us` UInt64 CODEC(T64, LZ4),
    `latency_max_us` UInt64 CODEC(T64, LZ4),
    `latency_histogram` Map(Int16, UInt64) CODEC(ZSTD(1)),
    `logged_weight` UInt64 CODEC(T64, LZ4),
    `last_window` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `interfaces` Array(LowCardinality(String)) CODEC(ZSTD(1)),
    `code` Nullable(Int32) CODEC(LZ4),
    `outcome` Enum8('success' = 0, 'caller_error' = 1, 'service_error' = 2, 'unknown' = 3) CODEC(LZ4),
    `log_rows` UInt64 CODEC(T64, LZ4),
    `log_weight` UInt64 CODEC(T64, LZ4)
)
ENGINE = MergeTree
PARTITION BY toStartOfInterval(window_start, INTERVAL 4 HOUR)
ORDER BY (kind, sdk_app_id, interface, region, window_start)
TTL toDateTime(window_start) + INTERVAL 2 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, merge_with_ttl_timeout = 600, index_granularity = 256,
    min_compress_block_size = 16384, max_compress_block_size = 65536;

CREATE OR REPLACE VIEW hour_rollup_kept AS
SELECT * FROM hour_rollup WHERE window_start > now64(3, 'UTC') - INTERVAL 2 DAY;

-- The complete builds of hour_rollup: a row is written after the rows of its version.
CREATE TABLE IF NOT EXISTS hour_rollup_build
(
    `kind` Enum8('metrics_built' = 1, 'logs_counted' = 2),
    `window_start` DateTime64(3, 'UTC'),
    `version` UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toStartOfInterval(window_start, INTERVAL 1 DAY)
ORDER BY (kind, window_start)
TTL toDateTime(window_start) + INTERVAL 2 DAY DELETE
SETTINGS merge_with_ttl_timeout = 600;

CREATE OR REPLACE VIEW hour_rollup_build_kept AS
SELECT * FROM hour_rollup_build WHERE window_start > now64(3, 'UTC') - INTERVAL 2 DAY;
