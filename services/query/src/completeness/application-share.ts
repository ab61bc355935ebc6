/*
 * What is missing of one application, at most. A batch mixes applications, but accounts also say how many records of each
 * were accepted. Of what is missing between two accounts, no more can be of an application than was accepted of it then.
 */
import { Type } from 'typebox';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import type { AccountInterval } from '@imscope/accounting/running/partition-track.js';

/** The time between two accounts of an incarnation. */
export type Interval = { readonly boot: string } & Pick<AccountInterval, 'fromAccount' | 'toAccount'>;

export function intervalKey({ boot, toAccount }: Pick<Interval, 'boot' | 'toAccount'>): string {
  return `${boot} ${toAccount}`;
}

const ACCEPTED = defineStoreQuery(
  'application_taken',
  Type.Object({ boot: Type.String(), sequence: Type.Number(), logged: Type.Number() }),
);

// An account has as many rows as its applications need. A collector that knows too many counts the rest under 0.
const ACCEPTED_SQL = `
SELECT
  boot, sequence,
  sum(arraySum(one -> if(one.sdk_app_id IN (0, {sdk_app_id:UInt64}), one.accepted - one.sampled_out, 0), applications)) AS logged
FROM edge_account_kept
WHERE boot IN {boots:Array(String)} AND sequence IN {sequences:Array(UInt64)}
GROUP BY boot, sequence, chunks
HAVING count() = chunks`;

/** Records accepted of an application in an interval, by the interval's key, where accounts tell. Rejects with what `ask` rejects with. */
export async function acceptedWithin(
  ask: Ask,
  sdkAppId: number,
  intervals: readonly Interval[],
): Promise<ReadonlyMap<string, number>> {
  const boots = [...new Set(intervals.map(({ boot }) => boot))];
  const accounts = intervals.flatMap(({ fromAccount, toAccount }) => [fromAccount, toAccount]);
  const sequences = [...new Set(accounts)].filter((sequence) => sequence >= 0);
  const rows = await ask(ACCEPTED, ACCEPTED_SQL, { sdk_app_id: sdkAppId, boots, sequences });
  const logged = new Map(rows.map((row) => [`${row.boot} ${row.sequence}`, row.logged]));
  // Before its first account an incarnation had accepted nothing.
  const upTo = (boot: string, sequence: number): number | undefined =>
    sequence < 0 ? 0 : logged.get(`${boot} ${sequence}`);
  return new Map(
    intervals.flatMap((interval) => {
      const after = upTo(interval.boot, interval.toAccount);
      const before = upTo(interval.boot, interval.fromAccount);
      return after === undefined || before === undefined ? [] : [[intervalKey(interval), after - before]];
    }),
  );
}
