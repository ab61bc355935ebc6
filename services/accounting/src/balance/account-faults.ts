/*
 * Rows of `edge_account` = account records in the ledger, by incarnation. Those rows carry no block, but each names its
 * incarnation and its sequence among the accounts, so a row that is missing or doubled is named by that. Pure.
 */
import { TOPICS } from '@imscope/schemas/topics.js';
import type { AccountSegment, Evidence } from '../evidence/evidence.js';
import type { Fault, MissingAccounts } from './fault.js';

export function accountFaults(evidence: Evidence): Fault[] {
  const startedWithin = new Map(evidence.incarnations.map((one) => [one.boot, one.started_within]));
  const accounts = Map.groupBy(evidence.accounts, ({ boot }) => boot);
  const batches = evidence.batches.filter(({ topic }) => topic === TOPICS.edgeAccount.name);
  const stored = Map.groupBy(batches, ({ boot }) => boot);
  return [...new Set([...stored.keys(), ...accounts.keys()])].flatMap((boot): Fault[] => {
    // Its accounts are older than the scope, though the ledger got them within it.
    if (!startedWithin.has(boot) && evidence.known.has(boot)) return [];
    const segments = accounts.get(boot) ?? [];
    const expected = (stored.get(boot) ?? []).reduce((sum, { after_base: records }) => sum + records, 0);
    const distinct = segments.reduce((sum, segment) => sum + segment.distinct, 0);
    const rows = segments.reduce((sum, segment) => sum + segment.rows, 0);
    const [first] = segments;
    const place = {
      topic: TOPICS.edgeAccount.name,
      boot,
      ...(first === undefined ? {} : { collector: first.collector }),
    };
    const faults: Fault[] = [];
    if (distinct < expected) {
      const missing = missingAccounts(segments, startedWithin.get(boot) ?? true);
      faults.push({ ...place, kind: 'missing_accounts', expected, found: distinct, missing });
    }
    if (rows > distinct) faults.push({ ...place, kind: 'doubled_accounts', expected: distinct, found: rows });
    return faults;
  });
}

/** Accounts count from 0; chunks of one account have the same number. */
function missingAccounts(segments: readonly AccountSegment[], startedWithin: boolean): MissingAccounts {
  const last = segments.at(-1);
  if (last === undefined) return { where: 'all' };
  const ranges = segments.flatMap((segment, index) => {
    const before = segments[index - 1];
    return before === undefined
      ? []
      : [{ first: before.last_sequence + 1, last: segment.first_sequence - 1 }];
  });
  if (ranges.length > 0) return { where: 'between', ranges };
  const torn = segments.find(({ expected, distinct }) => distinct < expected);
  if (torn !== undefined) return { where: 'chunks', first: torn.first_sequence, last: torn.last_sequence };
  if (!startedWithin || segments[0]?.first_sequence !== 0) return { where: 'either_end' };
  return { where: 'after', account: last.last_sequence };
}
