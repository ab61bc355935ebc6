/*
 * The one way in which an application changes: in one transaction its rows, the document of the new version, the audit,
 * what else the change causes, and the entry that is distributed. Nothing of it is in force without all of it.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { ApplicationState } from '@imscope/schemas/registry-api/application.js';
import { transact } from '@imscope/state/transact.js';
import {
  type ApplicationRowChange,
  changeApplicationRows,
  type Reader,
  readApplication,
  type StoredApplication,
  type Writer,
} from '../rows/application-rows.js';
import { changesSince, writeAudit } from '../rows/audit.js';
import { applicationEntry, writeEntry } from '../rows/entries.js';
import type { ApplicationDependencies, CompleteApplication } from './dependencies.js';
import { notFound, stateOf } from './read-complete.js';

export type Change = {
  readonly before: CompleteApplication;
  /** A new version; left out where the state stays. */
  readonly state?: ApplicationState;
  readonly rows?: Omit<ApplicationRowChange, 'state' | 'version'>;
  readonly action: string;
  readonly author: string;
  readonly reason: string;
  /** JSON pointers of what changes. */
  readonly paths: readonly string[];
  readonly nowMs: number;
  /** What else is written, before the entry. */
  readonly more?: (transaction: Writer) => Promise<void>;
};

/** Versions of an application that are kept; older ones are deleted. */
export const VERSIONS_MAX = 1_000;
/** Changes that a refusal names. */
const CHANGES_SHOWN_MAX = 100;
const PATHS_SHOWN_MAX = 20;

/** @throws HttpError precondition_failed where the application is no longer at the revision of `before` */
export async function writeChange(
  dependencies: ApplicationDependencies,
  change: Change,
): Promise<CompleteApplication> {
  const { database, documents, logger } = dependencies;
  const after = afterChange(change);
  const { sdk_app_id: sdkAppId } = after.stored.identity;
  await transact(database, async (transaction) => writeAll(transaction, dependencies, change, after));
  if (change.state !== undefined && after.stored.version > VERSIONS_MAX) {
    const version = after.stored.version - VERSIONS_MAX + 1;
    // The change is in force already. The next one deletes what is left here.
    await documents
      .deleteBelow({ sdkAppId, version })
      .catch((error: unknown) => logger.warn({ err: error, sdkAppId }, 'old versions were not deleted'));
  }
  return after;
}

/** @throws HttpError not_found, precondition_failed */
export function requireRevision(db: Reader, stored: StoredApplication, ifMatch: number): Promise<void> {
  return stored.revision === ifMatch
    ? Promise.resolve()
    : refuseStale(db, stored.identity.sdk_app_id, ifMatch);
}

async function writeAll(
  transaction: Writer,
  { documents, onChange }: ApplicationDependencies,
  change: Change,
  after: CompleteApplication,
): Promise<void> {
  const { before, state, author, reason, nowMs } = change;
  const { revision, version, status, identity } = after.stored;
  const sdkAppId = identity.sdk_app_id;
  const at = { sdkAppId, revision: before.stored.revision };
  const rows = { ...change.rows, ...(state === undefined ? {} : { state, version }) };
  // First, because it locks the application's row: the document store relies on it.
  const isChanged = await changeApplicationRows(transaction, at, rows, nowMs);
  if (!isChanged) return refuseStale(transaction, sdkAppId, before.stored.revision);
  if (state !== undefined) {
    await documents.write(transaction, [{ sdkAppId, version, author, reason, createdMs: nowMs, state }]);
  }
  const { action, paths } = change;
  await writeAudit(transaction, { atMs: nowMs, actor: author, action, sdkAppId, reason, paths, revision });
  await change.more?.(transaction);
  await onChange(transaction, before, after, nowMs);
  if (state !== undefined || change.rows !== undefined) {
    await writeEntry(transaction, applicationEntry({ sdkAppId, status, state: stateOf(after) }));
  }
}

/** Pure. */
function afterChange({ before, state, rows = {}, nowMs }: Change): CompleteApplication {
  const { stored } = before;
  const { status = stored.status, terminatedMs = stored.terminatedMs, purgeMs = stored.purgeMs } = rows;
  return {
    stored: {
      ...stored,
      ...(state === undefined ? {} : { details: state.details, settings: state.settings }),
      version: stored.version + (state === undefined ? 0 : 1),
      status,
      terminatedMs,
      purgeMs,
      revision: stored.revision + 1,
      updatedMs: nowMs,
    },
    configuration: state?.configuration ?? before.configuration,
  };
}

/** Says who changed it, when and what, so that the caller can merge. */
async function refuseStale(db: Reader, sdkAppId: number, ifMatch: number): Promise<never> {
  const stored = await readApplication(db, sdkAppId);
  if (stored === undefined) throw notFound(sdkAppId);
  const changes = await changesSince(db, { sdkAppId, revision: ifMatch }, CHANGES_SHOWN_MAX);
  const by = [...new Set(changes.map(({ actor }) => `"${actor}"`))].join(', ');
  const paths = [...new Set(changes.flatMap((change) => change.paths))];
  const shown = paths.slice(0, PATHS_SHOWN_MAX).join(', ');
  const more = paths.length > PATHS_SHOWN_MAX ? ` and ${paths.length - PATHS_SHOWN_MAX} more` : '';
  const [newest] = changes;
  const since =
    newest === undefined
      ? ''
      : `: since then ${by} changed ${shown === '' ? newest.action : shown}${more}, last at ${newest.at}`;
  throw new HttpError(
    'precondition_failed',
    `application ${sdkAppId} is at revision ${stored.revision}, If-Match names ${ifMatch}${since}. ` +
      'Nothing was changed: read it again, and send your change with its new revision',
  );
}
