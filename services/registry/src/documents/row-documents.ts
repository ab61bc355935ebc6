/* Versions as rows of table application_version: written by the transaction that names them, so there are no orphans. */
import type { ApplicationState, VersionSummary } from '@imscope/schemas/registry-api/application.js';
import type { Kysely } from 'kysely';
import type { ApplicationVersionTable, RegistryTables } from '../rows/tables.js';
import { completeState } from './complete-state.js';
import type { DocumentStore, VersionDocument } from './document-store.js';

/** Bounds of one statement; MySQL accepts 16 MB by default. One version is below 1 MB. */
const STATEMENT_CHARACTERS_MAX = 2_000_000;
const STATEMENT_ROWS_MAX = 500;

export function createRowDocuments(db: Kysely<RegistryTables>): DocumentStore {
  return {
    async write(transaction, versions) {
      for (const rows of statements(versions.map(rowOf)))
        await transaction.insertInto('application_version').values(rows).execute();
    },
    async read({ sdkAppId, version }) {
      const row = await db
        .selectFrom('application_version')
        .selectAll()
        .where('sdk_app_id', '=', sdkAppId)
        .where('version', '=', version)
        .executeTakeFirst();
      return row === undefined ? undefined : documentOf(row);
    },
    async list(sdkAppId, { versionMax, limit }) {
      const rows = await db
        .selectFrom('application_version')
        .select(['version', 'author', 'reason', 'created_ms'])
        .where('sdk_app_id', '=', sdkAppId)
        .where('version', '<=', versionMax)
        .orderBy('version', 'desc')
        .limit(limit)
        .execute();
      return rows.map(({ created_ms: createdMs, ...summary }) => summaryOf({ ...summary, createdMs }));
    },
    async deleteBelow({ sdkAppId, version }) {
      const { numDeletedRows } = await db
        .deleteFrom('application_version')
        .where('sdk_app_id', '=', sdkAppId)
        .where('version', '<', version)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
    async deleteApplication(sdkAppId) {
      const { numDeletedRows } = await db
        .deleteFrom('application_version')
        .where('sdk_app_id', '=', sdkAppId)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
    sweepOrphans: async () => 0,
    // The database of the rows is asked by others.
    ping: async () => undefined,
  };
}

/** As it is listed. */
export function summaryOf({
  version,
  author,
  reason,
  createdMs,
}: Omit<VersionDocument, 'sdkAppId' | 'state'>): VersionSummary {
  return { version, author, reason, created_at: new Date(createdMs).toISOString() };
}

function rowOf(document: VersionDocument): ApplicationVersionTable {
  const { sdkAppId, version, author, reason, createdMs, state } = document;
  return {
    sdk_app_id: sdkAppId,
    version,
    author,
    reason,
    created_ms: createdMs,
    state: JSON.stringify(state),
  };
}

function documentOf({ sdk_app_id: sdkAppId, created_ms: createdMs, ...row }: ApplicationVersionTable) {
  // Written by `rowOf` out of a state that was checked.
  return { ...row, sdkAppId, createdMs, state: completeState(JSON.parse(row.state) as ApplicationState) };
}

/** Rows in the order given, cut into statements within their bounds. */
function statements(rows: readonly ApplicationVersionTable[]): ApplicationVersionTable[][] {
  const all: ApplicationVersionTable[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    const last = all.at(-1);
    characters += row.state.length;
    if (last === undefined || characters > STATEMENT_CHARACTERS_MAX || last.length === STATEMENT_ROWS_MAX) {
      all.push([row]);
      characters = row.state.length;
    } else last.push(row);
  }
  return all;
}
