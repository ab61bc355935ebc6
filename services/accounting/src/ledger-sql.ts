/*
 * Rows of `block_ledger` in SQL: which blocks a question is about, and the batches in them. Each expression is stated
 * here once; statements embed it and bind its parameters.
 */
import { TOPICS } from '@imscope/schemas/topics.js';

/** Blocks whose last message was appended at or after a bound time. @param param the parameter, epoch milliseconds */
export function appendedSinceSql(param: string): string {
  return `last_appended >= fromUnixTimestamp64Milli({${param}:Int64}, 'UTC')`;
}

/** Blocks of request logs and of accounts, whatever the deployment's prefix. Parameters: `LOG_AND_ACCOUNT_TOPICS`. */
export const LOG_AND_ACCOUNT_SQL = '(endsWith(topic, {logs:String}) OR endsWith(topic, {accounts:String}))';
export const LOG_AND_ACCOUNT_TOPICS = {
  logs: TOPICS.requestLog.name,
  accounts: TOPICS.edgeAccount.name,
} as const;

/** Names of the topics whose blocks the ledger holds, with the deployment's prefix. */
export function ledgerTopics(topicPrefix: string): string[] {
  return [TOPICS.requestLog, TOPICS.interfaceMetric, TOPICS.edgeAccount].map(
    ({ name }) => topicPrefix + name,
  );
}

/**
 * Blocks of all topics since `ledger_from`; `edge_topic` is the topic without prefix, as accounts name it. Parameters:
 * `scopeParams`.
 */
export const BLOCKS_SQL = `
SELECT substring(topic, {prefix_length:UInt32} + 1) AS edge_topic, partition, batches, expired_batches, dead_batches,
  duplicate_rows, last_appended
FROM block_ledger FINAL
WHERE topic IN {topics:Array(String)} AND ${appendedSinceSql('ledger_from')}`;

/** Ranges of batches that reached the store. Expired batches are in these ranges too, with no records. */
export const STORED_SQL = `
SELECT edge_topic AS topic, partition, batch.1 AS boot, batch.2 AS first, batch.3 AS last, batch.4 AS records,
  false AS dead, last_appended
FROM (${BLOCKS_SQL}) ARRAY JOIN batches AS batch`;

/** Batches that became dead letters, one each; a batch that came several times is several rows. */
export const DEAD_SQL = `
SELECT edge_topic AS topic, partition, batch.1 AS boot, batch.2 AS first, batch.2 AS last, batch.3 AS records,
  true AS dead, last_appended
FROM (${BLOCKS_SQL}) ARRAY JOIN dead_batches AS batch`;

/** Batches that expired at the edge, one each. */
export const EXPIRED_SQL = `
SELECT edge_topic AS topic, partition, batch.1 AS boot, batch.2 AS first, batch.3 AS records
FROM (${BLOCKS_SQL}) ARRAY JOIN expired_batches AS batch`;

/** Dead batches that were not stored later, one row each however often they came. */
export const DEAD_FOR_GOOD_SQL = `
SELECT topic, partition, boot, dead.first AS first, any(dead.records) AS records
FROM (${DEAD_SQL}) AS dead
LEFT JOIN (SELECT *, true AS known FROM (${STORED_SQL}) WHERE boot IN (SELECT boot FROM (${DEAD_SQL}))) AS stored
  USING (topic, partition, boot)
GROUP BY topic, partition, boot, first
HAVING countIf(stored.known AND stored.first <= dead.first AND dead.first <= stored.last) = 0`;
