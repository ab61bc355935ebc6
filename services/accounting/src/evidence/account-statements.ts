/* Statements over `edge_account_kept`: which incarnations there are and what their accounts say. */
import { Type } from 'typebox';
import type { Statement } from '../statement.js';
import { ACCOUNT_SEGMENT_ROW, INCARNATION_ROW, MARK_ROW, RECENT_ACCOUNT_ROW } from './evidence.js';

const SINCE = 'time >= fromUnixTimestamp64Milli({from:Int64})';

export const INCARNATIONS: Statement<typeof INCARNATION_ROW> = {
  name: 'accounting_incarnations',
  row: INCARNATION_ROW,
  sql: `
SELECT boot, any(collector) AS collector, toBool(min(started) >= fromUnixTimestamp64Milli({from:Int64})) AS started_within,
  max(final) AS ended, toUnixTimestamp64Milli(max(time)) AS last_time, min(sequence) AS base_account,
  max(sequence) AS last_account
FROM edge_account_kept WHERE ${SINCE} AND chunk = 0
GROUP BY boot`,
};

// The accounts to compare are bound, not read again: an account that arrives between two statements of one
// reading would otherwise count in one of them only. An account may be stored twice, so rows are not summed up.
export const MARKS_SQL = `
SELECT boot, part.topic AS topic, part.partition AS partition, toBool(part.last_sequence < 0) AS keyed,
  max(if(toInt64(sequence) = base_account, part.last_sequence, -1)) AS base_sequence,
  max(if(toInt64(sequence) = base_account, part.records, 0)) AS base_records,
  max(if(toInt64(sequence) = last_account, part.last_sequence, -1)) AS last_sequence,
  max(if(toInt64(sequence) = last_account, part.records, 0)) AS last_records
FROM (
  SELECT boot, sequence, partitions, base_account, last_account
  FROM edge_account_kept AS account
  INNER JOIN (
    SELECT bound.1 AS boot, bound.2 AS base_account, bound.3 AS last_account
    FROM (SELECT arrayJoin(arrayZip({boots:Array(String)}, {base_accounts:Array(Int64)}, {last_accounts:Array(Int64)})) AS bound)
  ) AS bounds USING (boot)
  WHERE chunk = 0 AND toInt64(sequence) IN (base_account, last_account)
) ARRAY JOIN partitions AS part
GROUP BY boot, topic, partition, keyed`;

export const MARKS: Statement<typeof MARK_ROW> = {
  name: 'accounting_marks',
  row: MARK_ROW,
  sql: MARKS_SQL,
};

export const ACCOUNT_SEGMENTS: Statement<typeof ACCOUNT_SEGMENT_ROW> = {
  name: 'accounting_accounts',
  row: ACCOUNT_SEGMENT_ROW,
  sql: `
SELECT boot, any(by) AS collector, min(account) AS first_sequence, max(account) AS last_sequence, sum(chunks_of) AS expected,
  sum(chunks_there) AS distinct, sum(rows_there) AS rows
FROM (
  SELECT *, account - row_number() OVER (PARTITION BY boot ORDER BY account) AS segment
  FROM (
    SELECT boot, any(collector) AS by, toInt64(sequence) AS account, any(chunks) AS chunks_of, uniqExact(chunk) AS chunks_there, count() AS rows_there
    FROM edge_account_kept WHERE ${SINCE}
    GROUP BY boot, sequence
  )
)
GROUP BY boot, segment ORDER BY boot, first_sequence LIMIT 100000`,
};

export const RECENT_ACCOUNTS: Statement<typeof RECENT_ACCOUNT_ROW> = {
  name: 'accounting_recent',
  row: RECENT_ACCOUNT_ROW,
  sql: `
SELECT boot, toUnixTimestamp64Milli(time) AS account_time, partitions.topic AS sent_topics,
  partitions.partition AS sent_partitions, partitions.last_sequence AS sent_sequences
FROM edge_account_kept WHERE ${SINCE} AND chunk = 0
ORDER BY boot, sequence DESC LIMIT 10 BY boot`,
};

const KNOWN_ROW = Type.Object({ boot: Type.String() });
export const KNOWN_INCARNATIONS: Statement<typeof KNOWN_ROW> = {
  name: 'accounting_known',
  row: KNOWN_ROW,
  sql: 'SELECT boot FROM edge_account_kept GROUP BY boot LIMIT 1000000',
};
