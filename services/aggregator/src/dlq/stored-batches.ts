/*
 * Which batches are stored already, by the ledger: its term is twice the longest of the records, so what it
 * does not know and has not expired was never stored, or waits in the log.
 */
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';

/** A batch as it counts: batches of one id in two partitions are two. */
export type PlacedBatch = {
  readonly topic: string;
  readonly partition: number;
  readonly boot: string;
  readonly sequence: number;
};

export function batchKey({ topic, partition, boot, sequence }: PlacedBatch): string {
  return `${topic}/${partition}/${boot}/${sequence}`;
}

/** @param batches at most a hundred, for they are sent in the request's URL @returns the keys of those stored */
export async function readStoredBatches(
  client: ClickHouseClient,
  cluster: string,
  batches: readonly PlacedBatch[],
): Promise<Set<string>> {
  if (batches.length === 0) return new Set();
  const result = await client.query({
    query: `SELECT DISTINCT recorded.topic AS topic, recorded.partition AS partition, wanted.boot AS boot, wanted.sequence AS sequence
      FROM
      (
        SELECT topic, partition, batch.boot AS boot, batch.first_sequence AS first, batch.last_sequence AS last
        FROM block_ledger ARRAY JOIN batches AS batch
        WHERE cluster = {cluster:String} AND batch.boot IN {boots:Array(String)}
      ) AS recorded
      INNER JOIN
      (
        SELECT one.1 AS topic, one.2 AS partition, one.3 AS boot, one.4 AS sequence
        FROM (SELECT arrayJoin(arrayZip({topics:Array(String)}, {partitions:Array(Int32)}, {boots:Array(String)}, {sequences:Array(Int64)})) AS one)
      ) AS wanted
      ON recorded.topic = wanted.topic AND recorded.partition = wanted.partition AND recorded.boot = wanted.boot
      WHERE wanted.sequence BETWEEN recorded.first AND recorded.last`,
    query_params: {
      cluster,
      topics: batches.map(({ topic }) => topic),
      partitions: batches.map(({ partition }) => partition),
      boots: batches.map(({ boot }) => boot),
      sequences: batches.map(({ sequence }) => sequence),
    },
    format: 'JSONEachRow',
  });
  return new Set((await result.json<PlacedBatch>()).map(batchKey));
}
