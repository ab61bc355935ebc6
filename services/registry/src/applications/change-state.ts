/* Changes of an application's state: a merge patch, and the return to an earlier version. */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { ApplicationState } from '@imscope/schemas/registry-api/application.js';
import { CONFIGURATION_DEFAULTS } from '@imscope/schemas/registry-api/configuration.js';
import { DETAILS_DEFAULTS } from '@imscope/schemas/registry-api/details.js';
import { SETTINGS_DEFAULTS } from '@imscope/schemas/registry-api/settings.js';
import type { Handler, OperationCall } from '../operations/operation-call.js';
import { requireState } from './check-state.js';
import type { ApplicationDependencies, CompleteApplication } from './dependencies.js';
import { differencesOf } from '@imscope/schemas/registry-api/differences.js';
import { mergePatch, withDefaults } from './merge-patch.js';
import { applicationAnswer, readComplete, stateOf } from './read-complete.js';
import { requireRevision, writeChange } from './write-change.js';

/** What a member of a state is where it is not given. */
export const STATE_DEFAULTS = {
  details: DETAILS_DEFAULTS,
  settings: SETTINGS_DEFAULTS,
  configuration: CONFIGURATION_DEFAULTS,
};

export function changeApplication(dependencies: ApplicationDependencies): Handler<'changeApplication'> {
  return async (call) => {
    const { reason, ...patch } = call.body;
    const before = await readChangeable(dependencies, call);
    const state = requireState(withDefaults(mergePatch(stateOf(before), patch), STATE_DEFAULTS));
    return newVersion(dependencies, call, { before, state, action: 'application.change', reason });
  };
}

export function rollback(dependencies: ApplicationDependencies): Handler<'rollback'> {
  return async (call) => {
    const { version, reason } = call.body;
    const before = await readChangeable(dependencies, call);
    const { sdk_app_id: sdkAppId } = call.params;
    const document =
      version > before.stored.version ? undefined : await dependencies.documents.read({ sdkAppId, version });
    if (document === undefined) {
      throw new HttpError(
        'not_found',
        `application ${sdkAppId} has no version ${version}: the newest is ${before.stored.version}`,
      );
    }
    // Bounds may have changed since that version was made.
    const state = requireState(document.state);
    return newVersion(dependencies, call, { before, state, action: 'application.rollback', reason });
  };
}

/** @throws HttpError not_found, precondition_failed, wrong_state */
export async function readChangeable(
  { database, documents }: Pick<ApplicationDependencies, 'database' | 'documents'>,
  call: { readonly params: { readonly sdk_app_id: number }; readonly ifMatch: number },
): Promise<CompleteApplication> {
  const complete = await readComplete(database.kysely, documents, call.params.sdk_app_id);
  await requireRevision(database.kysely, complete.stored, call.ifMatch);
  requireNotTerminated(complete);
  return complete;
}

export function requireNotTerminated({ stored }: CompleteApplication): void {
  if (stored.status !== 'terminated') return;
  throw new HttpError(
    'wrong_state',
    `application ${stored.identity.sdk_app_id} is terminated: restore it first`,
  );
}

/** A state that does not differ makes no version. */
async function newVersion(
  dependencies: ApplicationDependencies,
  { caller, nowMs }: Pick<OperationCall<'changeApplication'>, 'caller' | 'nowMs'>,
  change: {
    readonly before: CompleteApplication;
    readonly state: ApplicationState;
    readonly action: string;
    readonly reason: string;
  },
) {
  const { before, state } = change;
  const paths = differencesOf(stateOf(before), state).map(({ path }) => path);
  if (paths.length === 0) return applicationAnswer(dependencies, before);
  const { url } = state.configuration.callback;
  if (url !== null && url !== before.configuration.callback.url) await dependencies.checkCallbackUrl(url);
  const sdkAppId = before.stored.identity.sdk_app_id;
  const secretsLeft = secretsOfRemoved(before.configuration, state.configuration);
  const after = await writeChange(dependencies, {
    ...change,
    author: caller.name,
    paths,
    nowMs,
    more: async (transaction) => {
      if (secretsLeft.length > 0) await dependencies.secrets.remove(transaction, sdkAppId, secretsLeft);
    },
  });
  return applicationAnswer(dependencies, after);
}

/** The secrets of push certificates that are removed end with them. */
function secretsOfRemoved(
  before: ApplicationState['configuration'],
  after: ApplicationState['configuration'],
): string[] {
  const kept = new Set(after.push_certificates.map(({ id }) => id));
  return before.push_certificates
    .filter(({ id }) => !kept.has(id))
    .flatMap(({ id }) => [`push/${id}/app_secret`, `push/${id}/certificate`]);
}
