-- The event times for which the accounts of a collector that takes in a history vouch; 1970 in both for every other.
ALTER TABLE edge_account
    ADD COLUMN IF NOT EXISTS `covers_from` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS `covers_to` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1));

-- A view keeps the columns it was created with.
CREATE OR REPLACE VIEW edge_account_kept AS
SELECT * FROM edge_account WHERE time > now64(3, 'UTC') - INTERVAL 7 DAY;
