/* Purges that are later than promised. */
import type { Reader } from '../rows/application-rows.js';
import { hasNoOpenPurge } from './open-purge.js';

/** Applications whose purge has not completed by its latest date, begun or not. */
export async function countLatePurges(
  db: Reader,
  { nowMs, withinMs }: { readonly nowMs: number; readonly withinMs: number },
): Promise<number> {
  const begun = await db
    .selectFrom('purge')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('completed_ms', 'is', null)
    .where('latest_ms', '<', nowMs)
    .executeTakeFirstOrThrow();
  const notBegun = await db
    .selectFrom('application')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('status', '=', 'terminated')
    .where('purge_ms', '<', nowMs - withinMs)
    .where(hasNoOpenPurge)
    .executeTakeFirstOrThrow();
  return begun.count + notBegun.count;
}
