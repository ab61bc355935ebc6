/*
 * Deletes exports at their end: the object first, then its row, so that a row is left as long as its object may be there.
 * What fails is tried again in the next pass. Objects without a row, and uploads that were cut off, are deleted once they
 * are older than any export takes.
 */
import { errorMessage } from '@imscope/runtime/error-message.js';
import type { Database } from '@imscope/state/database.js';
import { OBJECT_ROOMS, type ObjectStore } from '../objects/object-store.js';
import type { RegistryTables } from '../rows/tables.js';

export type ExportSweep = {
  readonly database: Database<RegistryTables>;
  readonly objects: Pick<ObjectStore, 'delete' | 'list' | 'deleteUnfinished'>;
};

export type SweptExports = {
  /** Exports that had ended. */
  readonly ended: number;
  /** Objects that no row named. */
  readonly orphans: number;
  /** Uploads that were cut off. */
  readonly unfinished: number;
  /** What could not be deleted, one sentence each; tried again in the next pass. */
  readonly failures: readonly string[];
};

/** Rows of one pass; the next takes the rest. */
const PASS_ROWS_MAX = 500;
/** Objects looked up in one statement. */
const LOOK_UP_MAX = 500;
/** Older than an export takes (EXPORT_TIME_MAX_MS), and than a backup's longest upload. */
const CUT_OFF_AGE_MS = 3_600_000;

export async function sweepExports(sweep: ExportSweep, nowMs: number): Promise<SweptExports> {
  const failures: string[] = [];
  const attempt = async (what: string, work: () => Promise<number>): Promise<number> => {
    try {
      return await work();
    } catch (error) {
      failures.push(`${what}: ${errorMessage(error)}`);
      return 0;
    }
  };
  const ended = await sweepEnded(sweep, nowMs, attempt);
  const orphans = await attempt('objects without a row', () => sweepOrphans(sweep, nowMs));
  const unfinished = await attempt('unfinished uploads', () =>
    sweep.objects.deleteUnfinished(nowMs - CUT_OFF_AGE_MS),
  );
  return { ended, orphans, unfinished, failures };
}

async function sweepEnded(
  { database, objects }: ExportSweep,
  nowMs: number,
  attempt: (what: string, work: () => Promise<number>) => Promise<number>,
): Promise<number> {
  const rows = await database.kysely
    .selectFrom('export_object')
    .select(['id', 'object_key'])
    .where('ends_ms', '<=', nowMs)
    .orderBy('ends_ms')
    .limit(PASS_ROWS_MAX)
    .execute();
  let ended = 0;
  for (const { id, object_key: key } of rows) {
    ended += await attempt(`export ${id}`, async () => {
      await objects.delete(key);
      await database.kysely.deleteFrom('export_object').where('id', '=', id).execute();
      return 1;
    });
  }
  return ended;
}

async function sweepOrphans({ database, objects }: ExportSweep, nowMs: number): Promise<number> {
  let deleted = 0;
  let keys: string[] = [];
  const sweep = async (): Promise<void> => {
    const rows = await database.kysely
      .selectFrom('export_object')
      .select('object_key')
      .where('object_key', 'in', keys)
      .execute();
    const named = new Set(rows.map((row) => row.object_key));
    for (const key of keys.filter((one) => !named.has(one))) {
      await objects.delete(key);
      deleted += 1;
    }
    keys = [];
  };
  for await (const { key, modifiedMs } of objects.list(OBJECT_ROOMS.exports)) {
    if (modifiedMs > nowMs - CUT_OFF_AGE_MS) continue;
    keys.push(key);
    if (keys.length === LOOK_UP_MAX) await sweep();
  }
  if (keys.length > 0) await sweep();
  return deleted;
}
