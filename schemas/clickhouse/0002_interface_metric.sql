-- Success rate and delay of each interface of each application, from every request before sampling.
-- The windows of all collectors with one key become one row. Kept 2 days, in partitions of 1 hour.
-- Bucket i of latency_histogram counts latencies in (2^(i/32), 2^((i+1)/32)] microseconds.
CREATE TABLE IF NOT EXISTS interface_metric
(
    `window_start` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `window_s` UInt32 CODEC(ZSTD(1)),
    `sdk_app_id` UInt64 CODEC(ZSTD(1)),
    `interface` LowCardinality(String),
    `region` LowCardinality(String),
    `success` SimpleAggregateFunction(sum, UInt64) CODEC(T64, LZ4),
    `caller_error` SimpleAggregateFunction(sum, UInt64) CODEC(T64, LZ4),
    `service_error` SimpleAggregateFunction(sum, UInt64) CODEC(T64, LZ4),
    `unknown` SimpleAggregateFunction(sum, UInt64) CODEC(T64, LZ4),
    `codes` SimpleAggregateFunction(sumMap, Map(String, UInt64)) CODEC(ZSTD(1)),
    `latency_sum_us` SimpleAggregateFunction(sum, UInt64) CODEC(T64, LZ4),
    `latency_max_us` SimpleAggregateFunction(max, UInt64) CODEC(T64, LZ4),
    `latency_histogram` SimpleAggregateFunction(sumMap, Map(Int16, UInt64)) CODEC(ZSTD(1)),
    `logged_weight` SimpleAggregateFunction(sum, UInt64) CODEC(T64, LZ4)
)
ENGINE = AggregatingMergeTree
PARTITION BY toStartOfHour(window_start)
ORDER BY (sdk_app_id, interface, region, window_start, window_s)
TTL toDateTime(window_start) + INTERVAL 2 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, merge_with_ttl_timeout = 600, non_replicated_deduplication_window = 10000;
