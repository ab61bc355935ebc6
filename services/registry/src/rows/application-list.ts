/*
 * Lists of applications, by pages in the order of their SDKAppIDs. A search reads one index over all names and owners:
 * about 30 ms for 100,000 applications.
 */
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import type { ApplicationStatus } from '@imscope/schemas/application-state.js';
import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool } from 'kysely';
import { type Reader, searchForm } from './application-rows.js';
import type { RegistryTables } from './tables.js';

export type ApplicationQuery = {
  /** A part of name or owner, or the start of the SDKAppID. */
  readonly search?: string | undefined;
  readonly status?: ApplicationStatus | undefined;
  /** Only these. */
  readonly among: 'all' | ReadonlySet<number>;
};

const SUMMARY_COLUMNS = [
  'sdk_app_id',
  'name',
  'owner',
  'package',
  'data_centre',
  'status',
  'version',
  'updated_ms',
  'purge_ms',
] as const;

export async function listApplications(
  db: Reader,
  query: ApplicationQuery,
  page: { readonly afterSdkAppId: number; readonly limit: number },
) {
  return db
    .selectFrom('application')
    .select([...SUMMARY_COLUMNS])
    .where((where) => matches(where, query))
    .where('sdk_app_id', '>', page.afterSdkAppId)
    .orderBy('sdk_app_id')
    .limit(page.limit)
    .execute();
}

/**
 * The ids of all that match, in their order: one read of the index over names and owners, without the rows. A million of
 * them take some 10 MB for a moment.
 */
export async function findApplicationIds(db: Reader, query: ApplicationQuery): Promise<number[]> {
  const rows = await db
    .selectFrom('application')
    .select('sdk_app_id')
    .where((where) => matches(where, query))
    .execute();
  return rows.map((row) => row.sdk_app_id).toSorted((a, b) => a - b);
}

export async function countApplications(db: Reader, query: ApplicationQuery): Promise<number> {
  const { count } = await db
    .selectFrom('application')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where((where) => matches(where, query))
    .executeTakeFirstOrThrow();
  return count;
}

type Where = ExpressionBuilder<RegistryTables, 'application'>;

function matches(
  where: Where,
  { search = '', status, among }: ApplicationQuery,
): ExpressionWrapper<RegistryTables, 'application', SqlBool> {
  const conditions = [];
  if (status !== undefined) conditions.push(where('status', '=', status));
  if (among !== 'all') conditions.push(where('sdk_app_id', 'in', [...among]));
  if (search !== '') {
    // Not LIKE: its wildcards and escapes differ between the dialects.
    const contains = where.fn<number>('instr', ['search_text', where.val(searchForm(search))]);
    const ranges = idsThatStartWith(search).map(({ from, to }) => where.between('sdk_app_id', from, to));
    conditions.push(where.or([where(contains, '>', 0), ...ranges]));
  }
  return where.and(conditions);
}

/** The ranges of ids whose decimal digits start with these: 14 gives 14, 140 to 149, 1400 to 1499, …. */
function idsThatStartWith(digits: string): { from: number; to: number }[] {
  if (!/^[1-9]\d{0,15}$/.test(digits)) return [];
  const ranges = [];
  for (let unit = 1; Number(digits) * unit <= REQUEST_LOG_BOUNDS.sdkAppIdMax; unit *= 10) {
    ranges.push({ from: Number(digits) * unit, to: (Number(digits) + 1) * unit - 1 });
  }
  return ranges;
}
