/* Up to when everything that collectors accepted is stored, as far as their accounts tell. Pure. */
import type { Evidence, RecentAccount } from '../evidence/evidence.js';
import { holds } from '../retirement/booked-retirement.js';
import type { Settling } from './fault.js';

/**
 * Epoch milliseconds of the collectors' clocks; Infinity once every incarnation has ended, 0 where the ledger covers
 * none of the newest accounts of one of them. An incarnation that is
 * retired or silent for the settling time delays nothing.
 */
export function settledUntil(
  evidence: Pick<Evidence, 'incarnations' | 'batches' | 'recent' | 'marks' | 'known' | 'retirements'>,
  { nowMs, settleMs }: Settling,
): number {
  const isCovered = coveredBy(evidence);
  const until = evidence.incarnations.map(({ boot, ended, last_time: lastMs }) => {
    const retirement = evidence.retirements.get(boot);
    if (retirement !== undefined && holds(retirement)) return Infinity;
    const covered = evidence.recent.filter((account) => account.boot === boot && isCovered(account));
    const newestMs = covered.reduce((newest, { account_time: time }) => Math.max(newest, time), 0);
    if (ended && newestMs === lastMs) return Infinity;
    return nowMs - lastMs >= settleMs ? Infinity : newestMs;
  });
  // Batches of an incarnation without an account: its first one is to come.
  const unaccounted = evidence.batches.some(
    ({ boot, appended_last: at }) => !evidence.known.has(boot) && nowMs - at < settleMs,
  );
  return unaccounted ? 0 : Math.min(Infinity, ...until);
}

/** Whether the ledger holds the last batch that an account says was sent to each partition, of this topic or of all. */
export function coveredBy(
  { marks, batches }: Pick<Evidence, 'marks' | 'batches'>,
  onlyTopic?: string,
): (account: RecentAccount) => boolean {
  const reached = new Map<string, number>();
  const reach = (at: { boot: string; topic: string; partition: number }, sequence: number): void => {
    const key = `${at.boot}/${at.topic}/${at.partition}`;
    reached.set(key, Math.max(reached.get(key) ?? -1, sequence));
  };
  for (const mark of marks) if (!mark.keyed) reach(mark, mark.base_sequence);
  for (const segment of batches) reach(segment, segment.last_sequence);
  return ({ boot, sent_topics: topics, sent_partitions: partitions, sent_sequences: sequences }) =>
    topics.every(
      (topic, index) =>
        (onlyTopic !== undefined && topic !== onlyTopic) ||
        (sequences[index] ?? -1) <= (reached.get(`${boot}/${topic}/${partitions[index]}`) ?? -1),
    );
}
