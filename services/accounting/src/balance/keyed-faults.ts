/*
 * The balance of batches with keyed ids. They have no sequences and do not tell which incarnation sent them, so their
 * records are summed by partition, once all incarnations that sent some have been quiet for the settling time. A
 * request that is sent again through another collector is stored once and counted by both, in accounts and metrics.
 * Pure.
 */
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Evidence, Incarnation, Mark } from '../evidence/evidence.js';
import { holds } from '../retirement/booked-retirement.js';
import type { Fault, Settling } from './fault.js';

type KeyedPartition = {
  readonly topic: string;
  readonly partition: number;
  readonly sent: number;
  readonly found: number;
  readonly appendedMs: number;
  /** All incarnations that sent some have been quiet for the settling time. */
  readonly settled: boolean;
};

export function keyedFaults(evidence: Evidence, settling: Settling): Fault[] {
  const duplicates = severalCollectors(evidence) ? evidence.duplicateRows : 0;
  const complete = isComplete(evidence, settling);
  return keyedPartitions(evidence, settling).flatMap((keyed): Fault[] => {
    const { topic, partition, sent, found, settled } = keyed;
    const allowed = duplicates + retiredKeyed(evidence, topic, partition);
    const more = complete && settling.nowMs - keyed.appendedMs >= settling.settleMs && found > sent;
    if (!settled || (!more && sent <= found + allowed)) return [];
    return [{ kind: 'keyed_sum', topic, partition, expected: sent, found }];
  });
}

/** At most how many records two collectors counted that are stored once. */
export function keyedCountedTwice(evidence: Evidence, settling: Settling): number {
  if (!severalCollectors(evidence)) return 0;
  const partitions = keyedPartitions(evidence, settling);
  const twice = partitions.reduce((sum, { sent, found }) => sum + Math.max(0, sent - found), 0);
  return isComplete(evidence, settling) ? Math.min(twice, evidence.duplicateRows) : evidence.duplicateRows;
}

/** Records of keyed batches of a partition that are booked as lost. */
function retiredKeyed({ retirements }: Evidence, topic: string, partition: number): number {
  if (topic !== TOPICS.requestLog.name) return 0;
  return [...retirements.values()]
    .filter(holds)
    .reduce((sum, { keyedMissing }) => sum + (keyedMissing.get(partition) ?? 0), 0);
}

function keyedPartitions(evidence: Evidence, settling: Settling): KeyedPartition[] {
  const incarnations = new Map(evidence.incarnations.map((one) => [one.boot, one]));
  const found = new Map(evidence.keyed.map((keyed) => [partitionKey(keyed), keyed]));
  return [...Map.groupBy(keyedMarks(evidence), partitionKey)].flatMap(([key, marks]) => {
    const [first] = marks;
    if (first === undefined) return [];
    return [
      {
        topic: first.topic,
        partition: first.partition,
        sent: marks.reduce((sum, mark) => sum + mark.last_records - mark.base_records, 0),
        found: found.get(key)?.records ?? 0,
        appendedMs: found.get(key)?.appended_last ?? 0,
        settled: marks.every(({ boot }) => isQuiet(incarnations.get(boot), settling)),
      },
    ];
  });
}

/** Else batches of before the scope, or of an incarnation with more accounts to come, may be among those found. */
function isComplete({ sinceStart, incarnations, batches }: Evidence, settling: Settling): boolean {
  const done = incarnations.filter((one) => one.started_within && one.ended && isQuiet(one, settling));
  const boots = new Set(done.map(({ boot }) => boot));
  return sinceStart && boots.size === incarnations.length && batches.every(({ boot }) => boots.has(boot));
}

function severalCollectors(evidence: Evidence): boolean {
  const sent = new Set(keyedMarks(evidence).map(({ boot }) => boot));
  const senders = evidence.incarnations.filter(({ boot }) => sent.has(boot));
  return new Set(senders.map(({ collector }) => collector)).size > 1;
}

function keyedMarks({ marks }: Evidence): Mark[] {
  return marks.filter(({ keyed }) => keyed);
}

function partitionKey({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}

function isQuiet(incarnation: Incarnation | undefined, { nowMs, settleMs }: Settling): boolean {
  return incarnation !== undefined && nowMs - incarnation.last_time >= settleMs;
}
