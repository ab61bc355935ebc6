-- Batches that are in the log and whose records are not in the store: expired at the edge (an empty container came
-- under their id), or dead (their message could not be read; as its headers say). With them what collectors say they
-- sent can be held against what is stored, batch by batch. The index spares recent questions the older blocks.
ALTER TABLE block_ledger
    ADD COLUMN IF NOT EXISTS `expired_batches` Array(Tuple(boot String, sequence Int64, records UInt64)) CODEC(ZSTD(1)) AFTER `batches`,
    ADD COLUMN IF NOT EXISTS `dead_batches` Array(Tuple(boot String, sequence Int64, records UInt64)) CODEC(ZSTD(1)) AFTER `expired_batches`,
    ADD INDEX IF NOT EXISTS last_appended_index last_appended TYPE minmax GRANULARITY 1;
