/* Reads an application with its configuration, and shapes it as answers have it. */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Application, ApplicationState } from '@imscope/schemas/registry-api/application.js';
import type { DocumentStore } from '../documents/document-store.js';
import { type Reader, readApplication } from '../rows/application-rows.js';
import type { SecretStore } from '../secrets/secret-store.js';
import type { ApplicationDependencies, CompleteApplication } from './dependencies.js';

/** @throws HttpError not_found, unavailable where the document of the version in force is missing */
export async function readComplete(
  db: Reader,
  documents: DocumentStore,
  sdkAppId: number,
): Promise<CompleteApplication> {
  const stored = await readApplication(db, sdkAppId);
  if (stored === undefined) throw notFound(sdkAppId);
  const document = await documents.read({ sdkAppId, version: stored.version });
  if (document === undefined) {
    throw new HttpError(
      'unavailable',
      `version ${stored.version} of application ${sdkAppId} is not in the document store: restore it from a backup`,
    );
  }
  return { stored, configuration: document.state.configuration };
}

export function notFound(sdkAppId: number): HttpError {
  return new HttpError('not_found', `there is no application ${sdkAppId}: create it first`);
}

/** Pure. */
export function stateOf({ stored, configuration }: CompleteApplication): ApplicationState {
  return { details: stored.details, settings: stored.settings, configuration };
}

export async function applicationAnswer(
  { database, secrets }: Pick<ApplicationDependencies, 'database'> & { secrets: Pick<SecretStore, 'list'> },
  complete: CompleteApplication,
): Promise<Application> {
  const { stored } = complete;
  return {
    ...stored.identity,
    status: stored.status,
    revision: stored.revision,
    version: stored.version,
    ...stateOf(complete),
    secrets: [...(await secrets.list(database.kysely, stored.identity.sdk_app_id))],
    created_at: timeText(stored.createdMs),
    updated_at: timeText(stored.updatedMs),
    terminated_at: timeOrNull(stored.terminatedMs),
    purge_at: timeOrNull(stored.purgeMs),
  };
}

/** RFC 3339, UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

export function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : timeText(ms);
}
