/*
 * Batches under keys have no sequences, and their ids do not tell which boot took them: their records add up by
 * partition, once nothing was heard for long of all boots that sent some. Sent again through another collector a request is stored once
 * and counted by both, in accounts and metrics.
 */
import type { BootAccounts, BootEvidence, Mark } from './boot-evidence.js';
import type { Settling } from './look.js';
import type { Difference } from './difference.js';

type KeyedPartition = {
  readonly topic: string;
  readonly partition: number;
  readonly sent: number;
  readonly found: number;
  readonly appendedMs: number;
  /** Of all boots that sent some nothing was heard for long. */
  readonly settled: boolean;
};

export function keyedDifferences(evidence: BootEvidence, settling: Settling): Difference[] {
  const allowed = severalCollectors(evidence) ? evidence.duplicateRows : 0;
  const complete = isComplete(evidence, settling);
  return keyedPartitions(evidence, settling).flatMap((keyed) => {
    const { topic, partition, sent, found, settled } = keyed;
    const more = complete && settling.nowMs - keyed.appendedMs >= settling.settleMs && found > sent;
    if (!settled || (!more && sent <= found + allowed)) return [];
    return [
      {
        check: 'boots',
        kind: 'keyed_sum',
        topic: settling.topicPrefix + topic,
        partition,
        expected: sent,
        found,
        words: 'records of requests with an Idempotency-Key, over all boots',
      } as const,
    ];
  });
}

/** Records that two collectors counted and that are stored once: at most so many. */
export function keyedCountedTwice(evidence: BootEvidence, settling: Settling): number {
  if (!severalCollectors(evidence)) return 0;
  const partitions = keyedPartitions(evidence, settling);
  const exact = isComplete(evidence, settling);
  const twice = partitions.reduce((sum, { sent, found }) => sum + Math.max(0, sent - found), 0);
  return exact ? Math.min(twice, evidence.duplicateRows) : evidence.duplicateRows;
}

function keyedPartitions(evidence: BootEvidence, settling: Settling): KeyedPartition[] {
  const boots = new Map(evidence.boots.map((boot) => [boot.boot, boot]));
  const found = new Map(evidence.keyed.map((keyed) => [partitionOf(keyed), keyed]));
  return [...Map.groupBy(keyedMarks(evidence), partitionOf)].flatMap(([key, marks]) => {
    const [first] = marks;
    if (first === undefined) return [];
    return [
      {
        topic: first.topic,
        partition: first.partition,
        sent: marks.reduce((sum, mark) => sum + mark.last_records - mark.base_records, 0),
        found: found.get(key)?.records ?? 0,
        appendedMs: found.get(key)?.appended_last ?? 0,
        settled: marks.every(({ boot }) => isQuiet(boots.get(boot), settling)),
      },
    ];
  });
}

/** Else batches of before the look, or of a boot that has more to say, may be among those found. */
function isComplete({ sinceStart, boots, stretches }: BootEvidence, settling: Settling): boolean {
  const done = boots.filter((boot) => boot.whole && boot.ended && isQuiet(boot, settling));
  const whole = new Set(done.map(({ boot }) => boot));
  return sinceStart && whole.size === boots.length && stretches.every(({ boot }) => whole.has(boot));
}

function severalCollectors(evidence: BootEvidence): boolean {
  const sent = new Set(keyedMarks(evidence).map(({ boot }) => boot));
  const collectors = evidence.boots.filter(({ boot }) => sent.has(boot)).map(({ collector }) => collector);
  return new Set(collectors).size > 1;
}

function keyedMarks({ marks }: BootEvidence): Mark[] {
  return marks.filter(({ keyed }) => keyed);
}

function partitionOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}

function isQuiet(boot: BootAccounts | undefined, { nowMs, settleMs }: Settling): boolean {
  return boot !== undefined && nowMs - boot.last_time >= settleMs;
}
