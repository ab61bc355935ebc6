/*
 * Rows of edge_account = account records in the ledger, by boot: those rows carry no block, but each names its boot
 * and its place among the boot's accounts, so a row that is gone or there twice is named by that.
 */
import { TOPICS } from '@imscope/schemas/topics.js';
import type { AccountStretch, BootEvidence } from './boot-evidence.js';
import type { Difference } from './difference.js';

export function accountDifferences(evidence: BootEvidence, topicPrefix: string): Difference[] {
  const looked = new Map(evidence.boots.map(({ boot, whole }) => [boot, whole]));
  const accounts = Map.groupBy(evidence.accounts, ({ boot }) => boot);
  const batches = evidence.stretches.filter(({ topic }) => topic === TOPICS.edgeAccount.name);
  const booked = Map.groupBy(batches, ({ boot }) => boot);
  return [...new Set([...booked.keys(), ...accounts.keys()])].flatMap((boot): Difference[] => {
    // Its accounts are older than the look, though the ledger got them within it.
    if (!looked.has(boot) && evidence.known.has(boot)) return [];
    const stretches = accounts.get(boot) ?? [];
    const expected = (booked.get(boot) ?? []).reduce((sum, { behind_base: records }) => sum + records, 0);
    const distinct = stretches.reduce((sum, stretch) => sum + stretch.distinct, 0);
    const rows = stretches.reduce((sum, stretch) => sum + stretch.rows, 0);
    const [first] = stretches;
    const place = {
      check: 'rows',
      topic: topicPrefix + TOPICS.edgeAccount.name,
      boot,
      ...(first === undefined ? {} : { collector: first.collector }),
    } as const;
    const differences: Difference[] = [];
    if (distinct < expected) {
      const words = missingWords(stretches, expected - distinct, looked.get(boot) ?? true);
      differences.push({ ...place, kind: 'missing_accounts', expected, found: distinct, words });
    }
    if (rows > distinct) {
      const words = `${rows - distinct} rows of accounts are there more than once`;
      differences.push({ ...place, kind: 'doubled_accounts', expected: distinct, found: rows, words });
    }
    return differences;
  });
}

/** Accounts count from 0, chunks of one share a number. */
function missingWords(stretches: readonly AccountStretch[], missing: number, whole: boolean): string {
  const holes = stretches.flatMap((stretch, index) => {
    const before = stretches[index - 1];
    if (before === undefined) return [];
    const [first, last] = [before.last_sequence + 1, stretch.first_sequence - 1];
    return [first === last ? `${first}` : `${first} to ${last}`];
  });
  const partly = stretches.filter(({ expected, distinct }) => distinct < expected);
  const last = stretches.at(-1);
  if (last === undefined) return `none of ${missing} account rows is there`;
  if (holes.length > 0) return `account ${holes.join(', ')} is missing`;
  const [torn] = partly;
  if (torn !== undefined)
    return `chunks of accounts ${torn.first_sequence} to ${torn.last_sequence} are missing`;
  const rows = `${missing} ${missing === 1 ? 'row is' : 'rows are'} missing`;
  if (!whole || stretches[0]?.first_sequence !== 0) return `${rows}, the first or the last`;
  return `${rows} behind account ${last.last_sequence}`;
}
