-- Readers go through these views. They clip to the term to the millisecond, whatever is still on disk.
CREATE OR REPLACE VIEW request_log_kept AS
SELECT * FROM request_log WHERE time > now64(3, 'UTC') - INTERVAL 7 DAY;

CREATE OR REPLACE VIEW interface_metric_kept AS
SELECT * FROM interface_metric WHERE window_start > now64(3, 'UTC') - INTERVAL 2 DAY;

CREATE OR REPLACE VIEW edge_account_kept AS
SELECT * FROM edge_account WHERE time > now64(3, 'UTC') - INTERVAL 7 DAY;
