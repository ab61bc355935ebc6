/* Creates applications: one by the API, many by an import. */
import { randomBytes } from 'node:crypto';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { ApplicationState } from '@imscope/schemas/registry-api/application.js';
import type { ApplicationIdentity } from '@imscope/schemas/registry-api/identity.js';
import { isDuplicate } from '@imscope/state/database-error.js';
import { transact } from '@imscope/state/transact.js';
import type { Handler } from '../operations/operation-call.js';
import { requireAdministered } from '../operations/require-administered.js';
import { countApplications } from '../rows/application-list.js';
import { insertApplications, readApplication, type Writer } from '../rows/application-rows.js';
import { writeAudit } from '../rows/audit.js';
import { applicationEntry, writeEntries } from '../rows/entries.js';
import { APPLICATION_KEY } from '../secrets/secret-store.js';
import { STATE_DEFAULTS } from './change-state.js';
import { requireState } from './check-state.js';
import type { ApplicationDependencies, CompleteApplication } from './dependencies.js';
import { mergePatch, withDefaults } from './merge-patch.js';
import { applicationAnswer, stateOf, timeText } from './read-complete.js';

export type ApplicationToCreate = {
  readonly identity: ApplicationIdentity;
  readonly state: ApplicationState;
  readonly key: string;
  readonly reason: string;
};

const REASON_LEFT_OUT = 'created';

export function createApplication(dependencies: ApplicationDependencies): Handler<'createApplication'> {
  return async ({ body, caller, nowMs }) => {
    const { sdk_app_id, app_id, uin, reason = REASON_LEFT_OUT, ...given } = body;
    requireAdministered(caller, sdk_app_id);
    const state = requireState(completeNewState(given, dependencies.region));
    const { url } = state.configuration.callback;
    if (url !== null) await dependencies.checkCallbackUrl(url);
    await requireCapacity(dependencies);
    const application = { identity: { sdk_app_id, app_id, uin }, state, key: newKey(), reason };
    try {
      const [created] = await transact(dependencies.database, async (transaction) =>
        insertNew(transaction, dependencies, [application], { author: caller.name, nowMs }),
      );
      if (created === undefined) throw new Error('an application was created that is not there');
      return { application: await applicationAnswer(dependencies, created), key: application.key };
    } catch (error) {
      if (isDuplicate(error)) throw await existsAlready(dependencies, sdk_app_id);
      throw error;
    }
  };
}

/** What is given over the defaults; not checked yet. Pure. @param region the data centre where none is given */
export function completeNewState(given: object, region: string): unknown {
  const defaults = {
    ...STATE_DEFAULTS,
    details: { ...STATE_DEFAULTS.details, ...(region === '' ? {} : { data_centre: region }) },
  };
  return withDefaults(mergePatch({}, given), defaults);
}

/** 256 bits, in hex as the keys of the service are. */
export function newKey(): string {
  return randomBytes(32).toString('hex');
}

/** Fails by the primary key where one exists already; then nothing is written. */
export async function insertNew(
  transaction: Writer,
  { documents, secrets, onChange }: ApplicationDependencies,
  applications: readonly ApplicationToCreate[],
  { author, nowMs }: { readonly author: string; readonly nowMs: number },
): Promise<readonly CompleteApplication[]> {
  const complete = applications.map((application) => newApplication(application, nowMs));
  // First, because it locks the rows: the document store relies on it.
  await insertApplications(
    transaction,
    complete.map(({ stored }) => stored),
  );
  const version = 1;
  await documents.write(
    transaction,
    applications.map(({ identity, state, reason }) => {
      return { sdkAppId: identity.sdk_app_id, version, author, reason, createdMs: nowMs, state };
    }),
  );
  await secrets.put(
    transaction,
    applications.map(({ identity, key }) => {
      return { sdkAppId: identity.sdk_app_id, name: APPLICATION_KEY, value: key };
    }),
    nowMs,
  );
  const audit = { atMs: nowMs, actor: author, action: 'application.create', paths: [''], revision: 1 };
  await writeAudit(
    transaction,
    ...applications.map(({ identity, reason }) => ({ ...audit, sdkAppId: identity.sdk_app_id, reason })),
  );
  for (const one of complete) await onChange(transaction, null, one, nowMs);
  await writeEntries(
    transaction,
    complete.map((one) => {
      const { identity, status } = one.stored;
      return applicationEntry({ sdkAppId: identity.sdk_app_id, status, state: stateOf(one) });
    }),
  );
  return complete;
}

/** @returns how many may be created. @throws HttpError wrong_state. Several at once may go beyond the bound by as many. */
export async function requireCapacity({
  database,
  applicationsMax,
}: Pick<ApplicationDependencies, 'database' | 'applicationsMax'>): Promise<number> {
  const count = await countApplications(database.kysely, { among: 'all' });
  if (count < applicationsMax) return applicationsMax - count;
  throw new HttpError(
    'wrong_state',
    `there are ${count} applications, APPLICATIONS_MAX is ${applicationsMax}: raise it first`,
  );
}

async function existsAlready({ database }: ApplicationDependencies, sdkAppId: number): Promise<HttpError> {
  const stored = await readApplication(database.kysely, sdkAppId);
  const since = stored === undefined ? '' : ` since ${timeText(stored.createdMs)}, and is ${stored.status}`;
  return new HttpError(
    'already_exists',
    `application ${sdkAppId} exists${since}: change it, or create one with another SDKAppID`,
  );
}

function newApplication({ identity, state }: ApplicationToCreate, nowMs: number): CompleteApplication {
  return {
    stored: {
      identity,
      status: 'active',
      revision: 1,
      version: 1,
      details: state.details,
      settings: state.settings,
      createdMs: nowMs,
      updatedMs: nowMs,
      terminatedMs: null,
      purgeMs: null,
    },
    configuration: state.configuration,
  };
}
