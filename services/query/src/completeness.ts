/*
 * How complete an answer is. The watermark comes from the ledger of stored blocks; the status stays `unknown`
 * until the collectors' accounts are balanced against it.
 */
import type { Completeness } from '@imscope/schemas/query-api/answers.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { Type } from 'typebox';
import { type Ask, defineQuestion } from './ask-store.js';
import { createMemory } from './memory.js';
import { timeText } from './time-window.js';

const WATERMARK = defineQuestion(
  'watermark',
  Type.Object({ partitions: Type.Number(), watermark_ms: Type.Number() }),
);

// A ledger row written twice changes no maximum, so no FINAL. The topic's name may carry a prefix. A partition
// without a block for ten minutes is taken for idle: little traffic does not reach all partitions, and the lag of
// a partition that stands still is the aggregators' to tell.
const WATERMARK_SQL = `
WITH newest_blocks AS (
  SELECT max(last_appended) AS newest
  FROM block_ledger
  WHERE endsWith(topic, {topic:String})
  GROUP BY cluster, topic, partition
)
SELECT count() AS partitions, toUnixTimestamp64Milli(min(newest)) AS watermark_ms
FROM newest_blocks
WHERE newest > (SELECT max(newest) FROM newest_blocks) - INTERVAL 10 MINUTE`;

/** Answers within this time share one look at the ledger. */
const REUSE_MS = 1_000;

/** Throws what `ask` throws. */
export function createCompleteness(ask: Ask): (nowMs: number) => Promise<Completeness> {
  const memory = createMemory<Completeness>(REUSE_MS, 1);
  const look = async (): Promise<Completeness> => {
    const [row] = await ask(WATERMARK, WATERMARK_SQL, { topic: TOPICS.requestLog.name });
    const watermark = row === undefined || row.partitions === 0 ? null : timeText(row.watermark_ms);
    return { status: 'unknown', ratio: null, watermark, silent_collectors: [] };
  };
  return (nowMs) => memory('watermark', nowMs, look);
}
