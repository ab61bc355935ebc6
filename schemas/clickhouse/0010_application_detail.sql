-- Names of applications, as the registry has them; of each application the row with the highest revision counts. This is
-- configuration: it has no TTL, and the purge of an application deletes its rows.
CREATE TABLE IF NOT EXISTS application_detail
(
    `sdk_app_id` UInt64,
    `name` String,
    `package` LowCardinality(String),
    `owner` String,
    `region` LowCardinality(String),
    `revision` UInt64,
    `deleted` Bool
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY sdk_app_id;

-- The dictionary reads a view, because it can name a table of its own database only by itself.
CREATE OR REPLACE VIEW application_detail_current AS
SELECT sdk_app_id, name, package, owner, region FROM application_detail FINAL WHERE NOT deleted;

-- The registry reloads it after each change. Other servers of a cluster follow within 40 s.
CREATE OR REPLACE DICTIONARY application_name
(
    `sdk_app_id` UInt64,
    `name` String DEFAULT '',
    `package` String DEFAULT '',
    `owner` String DEFAULT '',
    `region` String DEFAULT ''
)
PRIMARY KEY sdk_app_id
SOURCE(CLICKHOUSE(TABLE 'application_detail_current'))
LIFETIME(MIN 20 MAX 40)
LAYOUT(HASHED());
