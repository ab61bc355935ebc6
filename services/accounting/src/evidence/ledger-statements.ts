/* Statements over `block_ledger`: the batches of each incarnation, set against the marks of its accounts. */
import { TOPICS } from '@imscope/schemas/topics.js';
import { Type } from 'typebox';
import { keyedIdSql } from '../keyed-ids.js';
import { BLOCKS_SQL, DEAD_FOR_GOOD_SQL, DEAD_SQL, EXPIRED_SQL, STORED_SQL } from '../ledger-sql.js';
import type { Statement } from '../statement.js';
import { MARKS_SQL } from './account-statements.js';
import { BATCH_SEGMENT_ROW, KEYED_BATCHES_ROW, LOSS_ROW } from './evidence.js';

const KEYED = keyedIdSql('boot');
const WITH_MARKS = `LEFT JOIN (SELECT *, true AS known FROM (${MARKS_SQL}) WHERE NOT keyed) AS mark
  USING (boot, topic, partition)`;
const BASE = 'if(mark.known, mark.base_sequence, -1)';
const UPTO = 'if(mark.known, mark.last_sequence, -1)';

// Slices by incarnation bound the memory of the sort. The greatest end of no rows is 0, where sequences begin.
export const BATCH_SEGMENTS: Statement<typeof BATCH_SEGMENT_ROW> = {
  name: 'accounting_batches',
  row: BATCH_SEGMENT_ROW,
  sql: `
SELECT boot, topic, partition, min(first) AS first_sequence, max(last) AS last_sequence,
  sumIf(records, first > base AND last <= upto AND NOT dead) AS inside,
  sumIf(records, (first <= base AND last > base OR first <= upto AND last > upto) AND NOT dead) AS across_end,
  sumIf(records, first > base AND NOT dead) AS after_base,
  sumIf(records, first <= base AND last > base AND NOT dead) AS across_base,
  sum(again) AS doubled, minIf(first, again > 0) AS doubled_first, maxIf(first + again - 1, again > 0) AS doubled_last,
  toUnixTimestamp64Milli(max(appended)) AS appended_last
FROM (
  SELECT *, sum(begins) OVER (PARTITION BY boot, topic, partition ORDER BY first, last ROWS UNBOUNDED PRECEDING) AS segment
  FROM (
    SELECT boot, topic, partition, first, last, records, dead, batch.last_appended AS appended, ${BASE} AS base, ${UPTO} AS upto,
      first > max(last + 1) OVER before AS begins,
      if(dead, 0, greatest(0, least(last + 1, max(if(dead, 0, last + 1)) OVER before) - first)) AS again
    FROM (SELECT * FROM (${STORED_SQL} UNION ALL ${DEAD_SQL})
      WHERE NOT ${KEYED} AND cityHash64(boot) % {slices:UInt32} = {slice:UInt32}) AS batch
    ${WITH_MARKS}
    WINDOW before AS (PARTITION BY boot, topic, partition ORDER BY first, last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  )
)
GROUP BY boot, topic, partition, segment
ORDER BY boot, topic, partition, first_sequence
LIMIT 100000`,
};

export const LOSSES: Statement<typeof LOSS_ROW> = {
  name: 'accounting_losses',
  row: LOSS_ROW,
  sql: `
SELECT boot, topic, partition, sumIf(lost, first > base AND first <= upto) AS records,
  sumIf(lost, first > base) AS after_base
FROM (
  SELECT boot, topic, partition, first, batch.records AS lost, ${BASE} AS base, ${UPTO} AS upto
  FROM (SELECT topic, partition, boot, first, records FROM (${EXPIRED_SQL})
    UNION ALL SELECT topic, partition, boot, first, records FROM (${DEAD_FOR_GOOD_SQL})) AS batch
  ${WITH_MARKS}
  WHERE NOT ${KEYED}
)
GROUP BY boot, topic, partition LIMIT 100000`,
};

const NEVER = "fromUnixTimestamp64Milli(toInt64(0), 'UTC')";
export const KEYED_BATCHES: Statement<typeof KEYED_BATCHES_ROW> = {
  name: 'accounting_keyed',
  row: KEYED_BATCHES_ROW,
  sql: `
SELECT topic, partition, sum(batch_records) AS records, sum(lost_records) AS lost,
  toUnixTimestamp64Milli(max(appended)) AS appended_last
FROM (SELECT topic, partition, boot, records AS batch_records, 0 AS lost_records, last_appended AS appended FROM (${STORED_SQL})
  UNION ALL SELECT topic, partition, boot, records AS batch_records, records AS lost_records, ${NEVER} AS appended FROM (${EXPIRED_SQL})
  UNION ALL SELECT topic, partition, boot, records AS batch_records, records AS lost_records, ${NEVER} AS appended FROM (${DEAD_FOR_GOOD_SQL}))
WHERE ${KEYED} GROUP BY topic, partition ORDER BY topic, partition`,
};

const DUPLICATES_ROW = Type.Object({ rows: Type.Number() });
export const DUPLICATES: Statement<typeof DUPLICATES_ROW> = {
  name: 'accounting_duplicates',
  row: DUPLICATES_ROW,
  sql: `SELECT sum(duplicate_rows) AS rows FROM (${BLOCKS_SQL}) WHERE edge_topic = '${TOPICS.requestLog.name}'`,
};

const OLDEST_ROW = Type.Object({ since_start: Type.Boolean() });
export const OLDEST_BLOCK: Statement<typeof OLDEST_ROW> = {
  name: 'accounting_oldest',
  row: OLDEST_ROW,
  sql: `
SELECT toBool(min(last_appended) >= fromUnixTimestamp64Milli({ledger_from:Int64})) AS since_start FROM block_ledger
WHERE topic IN {topics:Array(String)}`,
};
