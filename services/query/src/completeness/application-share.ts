/*
 * What is missing, seen by one application: a batch mixes applications, but accounts also say how much each of them
 * had taken in. Where a boot took in nothing of an application between two accounts, no batch of then holds any of it.
 */
import { Type } from 'typebox';
import { type Ask, defineQuestion } from '../ask-store.js';
import type { Stretch } from './partition-track.js';

/** The time between two accounts of a boot. */
export type Interval = { readonly boot: string } & Pick<Stretch, 'fromAccount' | 'toAccount'>;

export function intervalKey({ boot, toAccount }: Pick<Interval, 'boot' | 'toAccount'>): string {
  return `${boot} ${toAccount}`;
}

const TAKEN = defineQuestion(
  'application_taken',
  Type.Object({ boot: Type.String(), sequence: Type.Number(), logged: Type.Number() }),
);

// An account stands in as many rows as its applications need. A collector that knows too many books the rest under 0.
const TAKEN_SQL = `
SELECT
  boot, sequence,
  sum(arraySum(one -> if(one.sdk_app_id IN (0, {sdk_app_id:UInt64}), one.accepted - one.sampled_out, 0), applications)) AS logged
FROM edge_account_kept
WHERE boot IN {boots:Array(String)} AND sequence IN {sequences:Array(UInt64)}
GROUP BY boot, sequence, chunks
HAVING count() = chunks`;

/** Those in which nothing of an application was taken in, by their keys. Throws what `ask` throws. */
export async function intervalsWithout(
  ask: Ask,
  sdkAppId: number,
  intervals: readonly Interval[],
): Promise<ReadonlySet<string>> {
  const boots = [...new Set(intervals.map(({ boot }) => boot))];
  const accounts = intervals.flatMap(({ fromAccount, toAccount }) => [fromAccount, toAccount]);
  const sequences = [...new Set(accounts)].filter((sequence) => sequence >= 0);
  const rows = await ask(TAKEN, TAKEN_SQL, { sdk_app_id: sdkAppId, boots, sequences });
  const logged = new Map(rows.map((row) => [`${row.boot} ${row.sequence}`, row.logged]));
  // Before its first account a boot had taken in nothing.
  const upTo = (boot: string, sequence: number): number | undefined =>
    sequence < 0 ? 0 : logged.get(`${boot} ${sequence}`);
  const empty = intervals.filter(({ boot, fromAccount, toAccount }) => {
    const after = upTo(boot, toAccount);
    return after !== undefined && after === upTo(boot, fromAccount);
  });
  return new Set(empty.map(intervalKey));
}
