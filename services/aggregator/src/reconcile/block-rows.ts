/*
 * Rows by block = ledger: each block's rows in request_log are as many as the ledger says, each at its place and once.
 * A block is compared while all its rows are within their term. In slices, so that neither the store's memory nor a
 * statement's time grows with the window.
 */
import { EVENT_AGE_HOURS } from '@imscope/schemas/retention.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Difference } from './difference.js';
import { type Pass, LOG_TERM_MS, passParams, MINUTE_MS, ROWS_MAX } from './pass.js';

/** Blocks of request logs by the minute in which they were appended, epoch milliseconds. */
export type BlockMinute = {
  readonly minute: number;
  readonly blocks: number;
  readonly rows: number;
  readonly batches: number;
  readonly first_event: number;
  readonly last_event: number;
  /** The store's clock when this was read: what is stored later may reach beyond these times. */
  readonly read_at: number;
};

export type BlockSlice = Omit<BlockMinute, 'minute' | 'batches'> & {
  readonly fromMs: number;
  readonly toMs: number;
};

/** A block whose rows differ from the ledger. */
export type BlockRows = {
  readonly topic: string;
  readonly epoch: number;
  readonly partition: number;
  readonly first_offset: number;
  readonly last_offset: number;
  readonly block: string;
  /** As the ledger says; as counted; different places among them. */
  readonly recorded: number;
  readonly stored: number;
  readonly places: number;
  readonly inserts: number;
  /** The first few places without a row, and those with several, with the application and minute of one of them. */
  readonly missing: readonly number[];
  readonly doubled: readonly {
    readonly block_row: number;
    readonly sdk_app_id: number;
    readonly minute: string;
  }[];
};

const SLICE_ROWS_MAX = 20_000_000;
const SLICE_BLOCKS_MAX = 20_000;

// A row may have happened long before it was appended: it was late, and then waited at the edge.
const FIRST_EVENT = `coalesce(first_event, first_appended - INTERVAL ${EVENT_AGE_HOURS} HOUR)`;
const LAST_EVENT = 'coalesce(last_event, last_appended + INTERVAL 10 MINUTE)';

const MINUTES = `
SELECT toUnixTimestamp(toStartOfMinute(last_appended)) * 1000 AS minute, count() AS blocks, sum(ledger.rows) AS rows,
  sum(length(batches)) AS batches, toUnixTimestamp64Milli(min(${FIRST_EVENT})) AS first_event,
  toUnixTimestamp64Milli(max(${LAST_EVENT})) AS last_event, toUnixTimestamp64Milli(now64(3)) AS read_at
FROM block_ledger AS ledger FINAL
WHERE topic = {topic:String} AND last_appended >= fromUnixTimestamp64Milli({ledger_from:Int64})
GROUP BY minute ORDER BY minute`;

export async function readBlockMinutes(pass: Pass): Promise<BlockMinute[]> {
  return pass.ask<BlockMinute>(MINUTES, params(pass));
}

/** Since when rows are compared: as far back as requested, while they are few enough. */
export function rowsFrom(minutes: readonly BlockMinute[], { fromMs, rows }: Pass): number {
  if (rows === undefined) return fromMs;
  let sum = 0;
  const tooFar = minutes.findLast(({ rows: here }) => (sum += here) > rows.max);
  return Math.max(fromMs, rows.fromMs, (tooFar?.minute ?? -MINUTE_MS) + MINUTE_MS);
}

/** Adjacent minutes, as many as one statement can process. */
export function slicesOf(minutes: readonly BlockMinute[]): BlockSlice[] {
  const slices: BlockSlice[] = [];
  for (const { minute, blocks, rows, first_event, last_event, read_at } of minutes) {
    const open = slices.at(-1);
    const next = { fromMs: minute, toMs: minute + MINUTE_MS, blocks, rows, first_event, last_event, read_at };
    if (open === undefined || open.rows + rows > SLICE_ROWS_MAX || open.blocks + blocks > SLICE_BLOCKS_MAX) {
      slices.push(next);
      continue;
    }
    slices[slices.length - 1] = {
      fromMs: open.fromMs,
      toMs: next.toMs,
      blocks: open.blocks + blocks,
      rows: open.rows + rows,
      first_event: Math.min(open.first_event, first_event),
      last_event: Math.max(open.last_event, last_event),
      read_at,
    };
  }
  return slices;
}

const BLOCKS = `
SELECT topic, epoch, partition, first_offset, last_offset, rows AS recorded_rows, block_ids
FROM block_ledger FINAL
WHERE topic = {topic:String} AND rows > 0 AND last_appended >= fromUnixTimestamp64Milli({slice_from:Int64})
  AND last_appended < fromUnixTimestamp64Milli({slice_to:Int64}) AND stored_at < fromUnixTimestamp64Milli({read_at:Int64}) - INTERVAL 1 SECOND
  AND ${FIRST_EVENT} > fromUnixTimestamp64Milli({term_from:Int64})`;

// A bitmap of a block's places is exact and small: they are integers from 0 on.
const DIFFERING = `
SELECT topic, epoch, partition, first_offset, last_offset, toString(any(block_id)) AS block, any(recorded_rows) AS recorded, count() AS inserts,
  sum(counted.stored) AS stored, sum(counted.places) AS places
FROM (SELECT *, arrayJoin(block_ids) AS block_id FROM (${BLOCKS})) AS recorded
LEFT JOIN (
  SELECT block_id, count() AS stored, groupBitmap(block_row) AS places
  FROM request_log
  WHERE time >= fromUnixTimestamp64Milli({first_event:Int64}) AND time <= fromUnixTimestamp64Milli({last_event:Int64})
    AND block_id IN (SELECT arrayJoin(block_ids) FROM (${BLOCKS}))
  GROUP BY block_id
) AS counted USING (block_id)
GROUP BY topic, epoch, partition, first_offset, last_offset
HAVING stored != recorded OR places != recorded
ORDER BY topic, epoch, partition, first_offset LIMIT {rows_max:UInt32}`;

const MISSING = `
SELECT number AS block_row FROM numbers({recorded:UInt64})
WHERE number NOT IN (SELECT block_row FROM request_log WHERE block_id = {block:UInt64}
  AND time >= fromUnixTimestamp64Milli({first_event:Int64}) AND time <= fromUnixTimestamp64Milli({last_event:Int64}))
ORDER BY number LIMIT 5`;

const DOUBLED = `
SELECT block_row, any(sdk_app_id) AS sdk_app_id, formatDateTime(toStartOfMinute(min(time)), '%FT%H:%i:00Z') AS minute
FROM request_log
WHERE block_id = {block:UInt64} AND time >= fromUnixTimestamp64Milli({first_event:Int64})
  AND time <= fromUnixTimestamp64Milli({last_event:Int64})
GROUP BY block_row HAVING count() > 1 ORDER BY block_row LIMIT 5`;

/** Blocks whose rows are read one by one. */
const DETAILED_MAX = 20;

function params(pass: Pass): Record<string, unknown> {
  return {
    ...passParams(pass),
    topic: pass.topicPrefix + TOPICS.requestLog.name,
    term_from: Math.max(0, pass.nowMs - LOG_TERM_MS),
  };
}

export async function readDifferingBlocks(pass: Pass, slices: readonly BlockSlice[]): Promise<BlockRows[]> {
  const found: BlockRows[] = [];
  for (const { fromMs, toMs, first_event, last_event, read_at } of slices) {
    const slice = { slice_from: fromMs, slice_to: toMs, first_event, last_event, read_at };
    const differing = await pass.ask<Omit<BlockRows, 'missing' | 'doubled'>>(DIFFERING, {
      ...params(pass),
      ...slice,
    });
    for (const block of differing) {
      const detail = { block: block.block, recorded: block.recorded, first_event, last_event };
      const asked = found.length < DETAILED_MAX && block.inserts === 1;
      const missing = asked ? await pass.ask<{ block_row: number }>(MISSING, detail) : [];
      const doubled = asked ? await pass.ask<BlockRows['doubled'][number]>(DOUBLED, detail) : [];
      found.push({ ...block, missing: missing.map(({ block_row }) => block_row), doubled });
    }
    if (found.length >= ROWS_MAX) break;
  }
  return found;
}

/** A block may lack rows and have others twice: both are reported. */
export function blockDifferences(blocks: readonly BlockRows[]): Difference[] {
  return blocks.flatMap((rows): Difference[] => {
    const { topic, epoch, partition, first_offset, last_offset, block, recorded, stored, places } = rows;
    const place = { check: 'rows', topic, epoch, partition, first_offset, last_offset, block } as const;
    const differences: Difference[] = [];
    if (places < recorded) {
      const words = missingWords(recorded - places, rows.missing);
      differences.push({ ...place, kind: 'missing_rows', expected: recorded, found: places, words });
    }
    if (stored > places || places > recorded) {
      const [first] = rows.doubled;
      const seen = first === undefined ? {} : { sdk_app_id: first.sdk_app_id, minute: first.minute };
      const words = doubledWords(rows);
      differences.push({
        ...place,
        ...seen,
        kind: 'doubled_rows',
        expected: Math.min(places, recorded),
        found: stored,
        words,
      });
    }
    return differences;
  });
}

function missingWords(missing: number, first: readonly number[]): string {
  const more = first.length > 0 && missing > first.length ? ' …' : '';
  const named = first.length === 0 ? '' : `: block_row ${first.join(', ')}${more}`;
  return `${missing.toLocaleString('en-US')} ${missing === 1 ? 'row is' : 'rows are'} missing${named}`;
}

function doubledWords({ recorded, stored, places, doubled }: BlockRows): string {
  if (places > recorded)
    return `${(places - recorded).toLocaleString('en-US')} rows are beyond its last place`;
  if (stored === 2 * recorded) return 'all its rows are there twice';
  const more = stored - places;
  const named = doubled.map(({ block_row }) => block_row).join(', ');
  const list = named === '' ? '' : `: block_row ${named}${more > doubled.length ? ' …' : ''}`;
  return `${more.toLocaleString('en-US')} ${more === 1 ? 'row' : 'rows'} too many${list}`;
}
