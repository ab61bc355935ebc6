/*
 * Applications as rows: one mapping between the tables and what the registry works with. The configuration is not here:
 * it is in the document of the version in force.
 */
import type { LinkTemplate } from '@imscope/schemas/link-template.js';
import type { ApplicationState } from '@imscope/schemas/registry-api/application.js';
import type { ApplicationDetails } from '@imscope/schemas/registry-api/details.js';
import type { ApplicationStatus } from '@imscope/schemas/application-state.js';
import type { ApplicationIdentity } from '@imscope/schemas/registry-api/identity.js';
import { ApplicationSettings } from '@imscope/schemas/registry-api/settings.js';
import type { Insertable, Kysely, Selectable, Transaction } from 'kysely';
import { Value } from 'typebox/value';
import type { ApplicationTable, CodeOverrideTable, RegistryTables, SloTargetTable } from './tables.js';

export type Reader = Kysely<RegistryTables>;
export type Writer = Transaction<RegistryTables>;

/** An application as its rows hold it. */
export type StoredApplication = {
  readonly identity: ApplicationIdentity;
  readonly status: ApplicationStatus;
  readonly revision: number;
  /** The version whose document holds the configuration in force. */
  readonly version: number;
  readonly details: ApplicationDetails;
  readonly settings: ApplicationSettings;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly terminatedMs: number | null;
  readonly purgeMs: number | null;
};

/** What a change of an application sets; what is left out stays. */
export type ApplicationRowChange = {
  readonly state?: Pick<ApplicationState, 'details' | 'settings'>;
  readonly version?: number;
  readonly status?: ApplicationStatus;
  readonly terminatedMs?: number | null;
  readonly purgeMs?: number | null;
};

/** Rows an insert statement holds: MySQL's default bound on a statement is 16 MB, SQLite's 32,766 values. */
const ROWS_PER_INSERT = 500;
/** Characters of the column. */
const SEARCH_LENGTH_MAX = 400;

/** Undefined where there is no such application. */
export async function readApplication(db: Reader, sdkAppId: number): Promise<StoredApplication | undefined> {
  const row = await db
    .selectFrom('application')
    .selectAll()
    .where('sdk_app_id', '=', sdkAppId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const [sloTargets, overrides] = await Promise.all([
    db.selectFrom('slo_target').selectAll().where('sdk_app_id', '=', sdkAppId).orderBy('position').execute(),
    db.selectFrom('code_override').selectAll().where('sdk_app_id', '=', sdkAppId).orderBy('code').execute(),
  ]);
  return fromRows(row, sloTargets, overrides);
}

/** The applications of this list that exist. */
export async function existingApplications(
  db: Reader,
  sdkAppIds: readonly number[],
): Promise<ReadonlySet<number>> {
  if (sdkAppIds.length === 0) return new Set();
  const rows = await db
    .selectFrom('application')
    .select('sdk_app_id')
    .where('sdk_app_id', 'in', [...sdkAppIds])
    .execute();
  return new Set(rows.map((row) => row.sdk_app_id));
}

/** Fails by the primary key where one exists already. */
export async function insertApplications(
  transaction: Writer,
  applications: readonly StoredApplication[],
): Promise<void> {
  await insertAll(transaction, 'application', applications.map(toRow));
  await insertSettings(
    transaction,
    applications.map(({ identity, settings }) => ({ sdkAppId: identity.sdk_app_id, settings })),
  );
}

/**
 * Changes the rows of an application from a revision to the next one.
 * @returns false, with nothing changed, where the application is not at this revision
 */
export async function changeApplicationRows(
  transaction: Writer,
  at: { readonly sdkAppId: number; readonly revision: number },
  change: ApplicationRowChange,
  nowMs: number,
): Promise<boolean> {
  const { state, version, status, terminatedMs, purgeMs } = change;
  const { numUpdatedRows } = await transaction
    .updateTable('application')
    .set({
      ...(state === undefined ? {} : columnsOf(state)),
      ...(version === undefined ? {} : { version }),
      ...(status === undefined ? {} : { status }),
      ...(terminatedMs === undefined ? {} : { terminated_ms: terminatedMs }),
      ...(purgeMs === undefined ? {} : { purge_ms: purgeMs }),
      revision: at.revision + 1,
      updated_ms: nowMs,
    })
    .where('sdk_app_id', '=', at.sdkAppId)
    .where('revision', '=', at.revision)
    .executeTakeFirstOrThrow();
  if (Number(numUpdatedRows) === 0) return false;
  if (state === undefined) return true;
  await transaction.deleteFrom('slo_target').where('sdk_app_id', '=', at.sdkAppId).execute();
  await transaction.deleteFrom('code_override').where('sdk_app_id', '=', at.sdkAppId).execute();
  await insertSettings(transaction, [{ sdkAppId: at.sdkAppId, settings: state.settings }]);
  return true;
}

/** What a search looks in, and the form of what is searched for: one form of each letter, in lower case. */
export function searchForm(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

async function insertSettings(
  transaction: Writer,
  applications: readonly { readonly sdkAppId: number; readonly settings: ApplicationSettings }[],
): Promise<void> {
  const sloTargets = applications.flatMap(({ sdkAppId, settings }) =>
    settings.slo_targets.map((target, position) => ({ sdk_app_id: sdkAppId, position, ...target })),
  );
  const overrides = applications.flatMap(({ sdkAppId, settings }) =>
    Object.entries(settings.codes).map(([code, outcome]) => ({
      sdk_app_id: sdkAppId,
      code: Number(code),
      outcome,
    })),
  );
  await insertAll(transaction, 'slo_target', sloTargets);
  await insertAll(transaction, 'code_override', overrides);
}

async function insertAll<T extends 'application' | 'slo_target' | 'code_override'>(
  transaction: Writer,
  table: T,
  rows: readonly Insertable<RegistryTables[T]>[],
): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
    await transaction
      .insertInto(table)
      .values(rows.slice(from, from + ROWS_PER_INSERT))
      .execute();
  }
}

function toRow(application: StoredApplication): ApplicationTable {
  const { identity, status, revision, version } = application;
  return {
    ...identity,
    ...columnsOf(application),
    status,
    revision,
    version,
    created_ms: application.createdMs,
    updated_ms: application.updatedMs,
    terminated_ms: application.terminatedMs,
    purge_ms: application.purgeMs,
  };
}

function columnsOf({ details, settings }: Pick<ApplicationState, 'details' | 'settings'>) {
  const { subscriptions, administrators, runbook_url, links, ...texts } = details;
  const { quota_per_second, limit_per_second, logged_share, interfaces } = settings;
  return {
    ...texts,
    subscriptions: JSON.stringify(subscriptions),
    administrators: JSON.stringify(administrators),
    runbook_url: runbook_url === '' ? null : runbook_url,
    links: links.length === 0 ? null : JSON.stringify(links),
    quota_per_second,
    limit_per_second,
    logged_share,
    interfaces: interfaces.length === 0 ? null : JSON.stringify(interfaces),
    search_text: searchText(details),
  };
}

/** A ligature may become many letters; what is beyond the column's bound is not found. */
function searchText({ name, owner }: ApplicationDetails): string {
  return Array.from(searchForm(`${name}\n${owner}`))
    .slice(0, SEARCH_LENGTH_MAX)
    .join('');
}

function fromRows(
  row: Selectable<ApplicationTable>,
  sloTargets: readonly Selectable<SloTargetTable>[],
  overrides: readonly Selectable<CodeOverrideTable>[],
): StoredApplication {
  const { sdk_app_id, app_id, uin, status, revision, version } = row;
  return {
    identity: { sdk_app_id, app_id, uin },
    status,
    revision,
    version,
    details: {
      name: row.name,
      introduction: row.introduction,
      description: row.description,
      type: row.type,
      owner: row.owner,
      package: row.package,
      subscriptions: textsOf(row.subscriptions),
      administrators: textsOf(row.administrators),
      data_centre: row.data_centre,
      runbook_url: row.runbook_url ?? '',
      links: linksOf(row.links),
    },
    settings: {
      quota_per_second: row.quota_per_second,
      limit_per_second: row.limit_per_second,
      logged_share: row.logged_share,
      codes: Object.fromEntries(overrides.map(({ code, outcome }) => [String(code), outcome])),
      slo_targets: sloTargets.map(({ sdk_app_id: _application, position: _position, ...target }) => target),
      interfaces: interfacesOf(row.interfaces),
    },
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
    terminatedMs: row.terminated_ms,
    purgeMs: row.purge_ms,
  };
}

function interfacesOf(json: string | null): ApplicationSettings['interfaces'] {
  const parsed: unknown = json === null ? [] : JSON.parse(json);
  if (!Value.Check(ApplicationSettings.properties.interfaces, parsed))
    throw new Error('the settings of interfaces are no such list');
  return parsed;
}

function linksOf(json: string | null): LinkTemplate[] {
  // Written by `columnsOf` out of details that were checked.
  return json === null ? [] : (JSON.parse(json) as LinkTemplate[]);
}

function textsOf(json: string): string[] {
  const parsed: unknown = JSON.parse(json);
  if (!Array.isArray(parsed)) throw new Error('a list of texts is no list');
  return parsed.map(String);
}
