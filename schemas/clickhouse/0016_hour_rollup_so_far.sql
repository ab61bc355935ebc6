-- The hour that runs is built as well, every ten minutes: its builds cover it up to covers_to, and each replaces the one before.
-- An hour that has ended is built up to its end. Of both kinds of builds, readers use the greatest end that both have.
ALTER TABLE hour_rollup_build
    ADD COLUMN IF NOT EXISTS `covers_to` DateTime64(3, 'UTC') DEFAULT window_start + INTERVAL 1 HOUR;

CREATE OR REPLACE VIEW hour_rollup_build_kept AS
SELECT * FROM hour_rollup_build WHERE window_start > now64(3, 'UTC') - INTERVAL 2 DAY;
