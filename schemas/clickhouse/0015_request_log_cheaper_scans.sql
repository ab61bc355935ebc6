-- What a scan of the logs costs. Every question has a span of time, so time is decompressed for every row it reads:
-- T64 and LZ4 take 0.4 of the processor time of ZSTD, at 0.1 bytes more a row. Rows that a question reads a few columns of
-- are read faster from one file a column, so merged parts get them from a third of a million rows; fresh ones still have a
-- single file (see 0007).
-- Both change what is written from now on; data that is there stays as it is until it is merged.
ALTER TABLE request_log
    MODIFY COLUMN `time` CODEC(Delta, T64, LZ4);

ALTER TABLE request_log
    MODIFY SETTING min_bytes_for_wide_part = 33554432;
