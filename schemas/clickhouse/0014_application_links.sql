-- Where operators go from an application: its runbook, and templates of links into their own logs and traces as a JSON
-- list of objects of title and url. Empty where there are none. This is configuration, as the names are.
ALTER TABLE application_detail
    ADD COLUMN IF NOT EXISTS `runbook_url` String AFTER `region`,
    ADD COLUMN IF NOT EXISTS `links` String AFTER `runbook_url`;

CREATE OR REPLACE VIEW application_detail_current AS
SELECT sdk_app_id, name, package, owner, region, runbook_url, links FROM application_detail FINAL WHERE NOT deleted;

CREATE OR REPLACE DICTIONARY application_name
(
    `sdk_app_id` UInt64,
    `name` String DEFAULT '',
    `package` String DEFAULT '',
    `owner` String DEFAULT '',
    `region` String DEFAULT '',
    `runbook_url` String DEFAULT '',
    `links` String DEFAULT ''
)
PRIMARY KEY sdk_app_id
SOURCE(CLICKHOUSE(TABLE 'application_detail_current'))
LIFETIME(MIN 20 MAX 40)
LAYOUT(HASHED());
