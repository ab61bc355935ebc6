/*
 * What collectors say they sent and what the ledger holds of it, by boot, topic and partition: read as few rows a
 * boot, whatever its traffic. Accounts are read before the ledger and the ledger before the accounts' own rows, so
 * what comes meanwhile never looks like a loss.
 */
import { type Look, lookParams } from './look.js';

/** A boot by its accounts. Times in epoch milliseconds of the collector's clock. */
export type BootAccounts = {
  readonly boot: string;
  readonly collector: string;
  /** It started within what is looked at: its sequences count from 0 here. */
  readonly whole: boolean;
  readonly ended: boolean;
  readonly last_time: number;
};

/**
 * What a boot says of one partition: between its base, exclusive, and its last account, inclusive. Records of batches
 * under keys stand apart, without sequences.
 */
export type Mark = {
  readonly boot: string;
  /** As accounts name it, without prefix. */
  readonly topic: string;
  readonly partition: number;
  readonly keyed: boolean;
  readonly base_sequence: number;
  readonly base_records: number;
  readonly last_sequence: number;
  readonly last_records: number;
};

/** Batches of a boot and partition in the ledger, stored or dead, without a gap between their sequences. */
export type BatchStretch = {
  readonly boot: string;
  readonly topic: string;
  readonly partition: number;
  readonly first_sequence: number;
  readonly last_sequence: number;
  /** Records of intervals between base and last account, and of those that reach over an end of that. */
  readonly inside: number;
  readonly astride: number;
  /** The same with no upper end. */
  readonly behind_base: number;
  readonly astride_base: number;
  /** Batches that stand in two blocks; the first and last sequence of them. */
  readonly doubled: number;
  readonly doubled_first: number;
  readonly doubled_last: number;
  readonly appended_last: number;
};

/** Records of batches that are booked as expired or dead, between base and last account. */
export type Losses = {
  readonly boot: string;
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
  /** The same with no upper end. */
  readonly behind_base: number;
};

/** Rows of a boot in edge_account, accounts without a gap between them. */
export type AccountStretch = {
  readonly boot: string;
  readonly collector: string;
  readonly first_sequence: number;
  readonly last_sequence: number;
  /** As the accounts say of their chunks, as they are there, and with those that are there twice. */
  readonly expected: number;
  readonly distinct: number;
  readonly rows: number;
};

/** An account of a boot with all it had sent by then; the newest few. */
export type RecentAccount = {
  readonly boot: string;
  readonly account_time: number;
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly last_sequence: number;
  }[];
};

/** Records of batches under keys; `lost` of them are booked as expired or dead. */
export type KeyedBatches = {
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
  readonly lost: number;
  /** When the newest stored one was appended, epoch milliseconds. */
  readonly appended_last: number;
};

export type BootEvidence = {
  readonly boots: readonly BootAccounts[];
  readonly marks: readonly Mark[];
  /** By boot, topic, partition and sequence. */
  readonly stretches: readonly BatchStretch[];
  readonly losses: readonly Losses[];
  readonly keyed: readonly KeyedBatches[];
  /** Rows of request logs that were left out because their batch was stored before. */
  readonly duplicateRows: number;
  /** The look reaches back to the ledger's first block. */
  readonly sinceStart: boolean;
  readonly accounts: readonly AccountStretch[];
  readonly recent: readonly RecentAccount[];
  /** All boots that have an account of any time: what waited at the edge may be older than the look. */
  readonly known: ReadonlySet<string>;
};

/** `isKeyedBoot` in SQL. */
const KEYED = "match(boot, '^k.{24}$')";

const BOOTS = `
SELECT boot, any(collector) AS collector, toBool(min(started) >= fromUnixTimestamp64Milli({from:Int64})) AS whole,
  max(final) AS ended, toUnixTimestamp64Milli(max(time)) AS last_time, min(sequence) AS base_account,
  max(sequence) AS last_account
FROM edge_account_kept WHERE time >= fromUnixTimestamp64Milli({from:Int64}) AND chunk = 0
GROUP BY boot`;

// An account may stand there twice, so no sums over its rows.
const MARKS = `
SELECT boot, part.topic AS topic, part.partition AS partition, toBool(part.last_sequence < 0) AS keyed,
  max(if(sequence = base_account AND NOT whole, part.last_sequence, -1)) AS base_sequence,
  max(if(sequence = base_account AND NOT whole, part.records, 0)) AS base_records,
  max(if(sequence = last_account, part.last_sequence, -1)) AS last_sequence,
  max(if(sequence = last_account, part.records, 0)) AS last_records
FROM (
  SELECT boot, sequence, partitions, base_account, last_account, whole
  FROM edge_account_kept AS account INNER JOIN (${BOOTS}) AS boots USING (boot)
  WHERE chunk = 0 AND sequence IN (base_account, last_account)
) ARRAY JOIN partitions AS part
GROUP BY boot, topic, partition, keyed`;

/** Blocks that are looked at; the topic as accounts name it. */
const BLOCKS = `
SELECT substring(topic, {prefix_length:UInt32} + 1) AS edge_topic, partition, batches, expired_batches, dead_batches,
  duplicate_rows, last_appended
FROM block_ledger FINAL
WHERE topic IN {topics:Array(String)} AND last_appended >= fromUnixTimestamp64Milli({ledger_from:Int64})`;

const STORED = `
SELECT edge_topic AS topic, partition, batch.1 AS boot, batch.2 AS first, batch.3 AS last, batch.4 AS records,
  false AS dead, last_appended
FROM (${BLOCKS}) ARRAY JOIN batches AS batch`;

const DEAD = `
SELECT edge_topic AS topic, partition, batch.1 AS boot, batch.2 AS first, batch.2 AS last, batch.3 AS records,
  true AS dead, last_appended
FROM (${BLOCKS}) ARRAY JOIN dead_batches AS batch`;

const EXPIRED = `
SELECT edge_topic AS topic, partition, batch.1 AS boot, batch.2 AS first, batch.3 AS records
FROM (${BLOCKS}) ARRAY JOIN expired_batches AS batch`;

/** Dead, also more than once, and never stored after all. */
const DEAD_FOR_GOOD = `
SELECT topic, partition, boot, dead.first AS first, any(dead.records) AS records
FROM (${DEAD}) AS dead
LEFT JOIN (SELECT *, true AS known FROM (${STORED}) WHERE boot IN (SELECT boot FROM (${DEAD}))) AS stored
  USING (topic, partition, boot)
GROUP BY topic, partition, boot, first
HAVING countIf(stored.known AND stored.first <= dead.first AND dead.first <= stored.last) = 0`;

const WITH_MARKS = `LEFT JOIN (SELECT *, true AS known FROM (${MARKS}) WHERE NOT keyed) AS mark
  USING (boot, topic, partition)`;
const BASE = 'if(mark.known, mark.base_sequence, -1)';
const UPTO = 'if(mark.known, mark.last_sequence, -1)';

// Slices by boot bound the memory of the sort. The greatest end of no rows is 0, where sequences begin.
const STRETCHES = `
SELECT boot, topic, partition, min(first) AS first_sequence, max(last) AS last_sequence,
  sumIf(records, first > base AND last <= upto AND NOT dead) AS inside,
  sumIf(records, (first <= base AND last > base OR first <= upto AND last > upto) AND NOT dead) AS astride,
  sumIf(records, first > base AND NOT dead) AS behind_base,
  sumIf(records, first <= base AND last > base AND NOT dead) AS astride_base,
  sum(again) AS doubled, minIf(first, again > 0) AS doubled_first, maxIf(first + again - 1, again > 0) AS doubled_last,
  toUnixTimestamp64Milli(max(appended)) AS appended_last
FROM (
  SELECT *, sum(begins) OVER (PARTITION BY boot, topic, partition ORDER BY first, last ROWS UNBOUNDED PRECEDING) AS stretch
  FROM (
    SELECT boot, topic, partition, first, last, records, dead, batch.last_appended AS appended, ${BASE} AS base, ${UPTO} AS upto,
      first > max(last + 1) OVER before AS begins,
      if(dead, 0, greatest(0, least(last + 1, max(if(dead, 0, last + 1)) OVER before) - first)) AS again
    FROM (SELECT * FROM (${STORED} UNION ALL ${DEAD})
      WHERE NOT ${KEYED} AND cityHash64(boot) % {slices:UInt32} = {slice:UInt32}) AS batch
    ${WITH_MARKS}
    WINDOW before AS (PARTITION BY boot, topic, partition ORDER BY first, last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  )
)
GROUP BY boot, topic, partition, stretch
ORDER BY boot, topic, partition, first_sequence
LIMIT 100000`;

const LOSSES = `
SELECT boot, topic, partition, sumIf(lost, first > base AND first <= upto) AS records,
  sumIf(lost, first > base) AS behind_base
FROM (
  SELECT boot, topic, partition, first, batch.records AS lost, ${BASE} AS base, ${UPTO} AS upto
  FROM (SELECT topic, partition, boot, first, records FROM (${EXPIRED})
    UNION ALL SELECT topic, partition, boot, first, records FROM (${DEAD_FOR_GOOD})) AS batch
  ${WITH_MARKS}
  WHERE NOT ${KEYED}
)
GROUP BY boot, topic, partition LIMIT 100000`;

const NEVER = "fromUnixTimestamp64Milli(toInt64(0), 'UTC')";
const KEYED_BATCHES = `
SELECT topic, partition, sum(batch_records) AS records, sum(lost_records) AS lost,
  toUnixTimestamp64Milli(max(appended)) AS appended_last
FROM (SELECT topic, partition, boot, records AS batch_records, 0 AS lost_records, last_appended AS appended FROM (${STORED})
  UNION ALL SELECT topic, partition, boot, records AS batch_records, records AS lost_records, ${NEVER} AS appended FROM (${EXPIRED})
  UNION ALL SELECT topic, partition, boot, records AS batch_records, records AS lost_records, ${NEVER} AS appended FROM (${DEAD_FOR_GOOD}))
WHERE ${KEYED} GROUP BY topic, partition ORDER BY topic, partition`;

const DUPLICATES = `SELECT sum(duplicate_rows) AS rows FROM (${BLOCKS}) WHERE edge_topic = 'im.request-log'`;

const OLDEST = `
SELECT toBool(min(last_appended) >= fromUnixTimestamp64Milli({ledger_from:Int64})) AS since_start FROM block_ledger
WHERE topic IN {topics:Array(String)}`;

const ACCOUNTS = `
SELECT boot, any(by) AS collector, min(account) AS first_sequence, max(account) AS last_sequence, sum(chunks_of) AS expected,
  sum(chunks_there) AS distinct, sum(rows_there) AS rows
FROM (
  SELECT *, account - row_number() OVER (PARTITION BY boot ORDER BY account) AS stretch
  FROM (
    SELECT boot, any(collector) AS by, toInt64(sequence) AS account, any(chunks) AS chunks_of, uniqExact(chunk) AS chunks_there, count() AS rows_there
    FROM edge_account_kept WHERE time >= fromUnixTimestamp64Milli({from:Int64})
    GROUP BY boot, sequence
  )
)
GROUP BY boot, stretch ORDER BY boot, first_sequence LIMIT 100000`;

const RECENT = `
SELECT boot, toUnixTimestamp64Milli(time) AS account_time, partitions
FROM edge_account_kept WHERE time >= fromUnixTimestamp64Milli({from:Int64}) AND chunk = 0
ORDER BY boot, sequence DESC LIMIT 10 BY boot`;

const KNOWN = `SELECT boot FROM edge_account_kept GROUP BY boot LIMIT 1000000`;

/** @param slices questions the batches are asked in, for memory's sake */
export async function readBootEvidence(look: Look, slices: number): Promise<BootEvidence> {
  const { ask } = look;
  const params = lookParams(look);
  const boots = await ask<BootAccounts>(BOOTS, params);
  const recent = await ask<RecentAccount>(RECENT, params);
  const marks = await ask<Mark>(MARKS, params);
  const stretches: BatchStretch[] = [];
  for (let slice = 0; slice < slices; slice++) {
    stretches.push(...(await ask<BatchStretch>(STRETCHES, { ...params, slices, slice })));
  }
  const losses = await ask<Losses>(LOSSES, params);
  const keyed = await ask<KeyedBatches>(KEYED_BATCHES, params);
  const [duplicates] = await ask<{ rows: number }>(DUPLICATES, params);
  const [oldest] = await ask<{ since_start: boolean }>(OLDEST, params);
  const accounts = await ask<AccountStretch>(ACCOUNTS, params);
  const known = await ask<{ boot: string }>(KNOWN);
  return {
    known: new Set(known.map(({ boot }) => boot)),
    boots,
    marks,
    stretches,
    losses,
    keyed,
    duplicateRows: duplicates?.rows ?? 0,
    sinceStart: oldest?.since_start === true,
    accounts,
    recent,
  };
}
