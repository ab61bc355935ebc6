-- What a collector says of itself: where it runs, its settings, what waits in its spool. Empty or 0 in accounts of
-- collectors of earlier versions. And the retirements of incarnations that are gone for ever: only in the account that an
-- operator writes, which has nothing else.
ALTER TABLE edge_account
    ADD COLUMN IF NOT EXISTS `host` LowCardinality(String),
    ADD COLUMN IF NOT EXISTS `region` LowCardinality(String),
    ADD COLUMN IF NOT EXISTS `settings_hash` LowCardinality(String),
    ADD COLUMN IF NOT EXISTS `account_interval_ms` UInt32 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS `spool_bytes` UInt64 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS `spool_bytes_max` UInt64 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS `waiting_batches` UInt64 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS `sent_bytes` UInt64 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS `retired` Array(Tuple(boot String, last_account Int64, accepted_from DateTime64(3, 'UTC'), accepted_to DateTime64(3, 'UTC'), missing UInt64, keyed_missing Array(Tuple(partition Int32, records UInt64)), accepted_max UInt64, unaccounted_stored UInt64, spool_records_max UInt64, by String, reason String)) CODEC(ZSTD(1));

-- A view keeps the columns it was created with.
CREATE OR REPLACE VIEW edge_account_kept AS
SELECT * FROM edge_account WHERE time > now64(3, 'UTC') - INTERVAL 7 DAY;
