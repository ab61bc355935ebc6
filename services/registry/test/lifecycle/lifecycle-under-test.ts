/*
 * The registry's operations and the passes over terminated applications on both backends: embedded (SQLite, rows, a
 * folder) and integrated (MariaDB, FerretDB in MongoDB's place, the S3 server). Time is what the test says.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Grant } from '@imscope/access/grant.js';
import { createLogger } from '@imscope/runtime/logger.js';
import type { ApplicationConfiguration } from '@imscope/schemas/registry-api/configuration.js';
import type { Database } from '@imscope/state/database.js';
import { changeApplication } from '../../src/applications/change-state.js';
import { suspendApplication } from '../../src/applications/change-status.js';
import { createApplication } from '../../src/applications/create-application.js';
import type { CompleteApplication } from '../../src/applications/dependencies.js';
import {
  type LifecycleDependencies,
  restoreApplication,
  terminateApplication,
} from '../../src/applications/terminate-application.js';
import { openMongoDocuments } from '../../src/documents/mongo-documents.js';
import { createRowDocuments } from '../../src/documents/row-documents.js';
import { type LifecycleServices, runLifecyclePass } from '../../src/lifecycle/lifecycle-pass.js';
import { purgeDistribution } from '../../src/lifecycle/purge-distribution.js';
import { purgeDocuments } from '../../src/lifecycle/purge-documents.js';
import { purgeObjects } from '../../src/lifecycle/purge-objects.js';
import { purgeTrtc } from '../../src/lifecycle/purge-trtc.js';
import { putTombstone } from '../../src/lifecycle/tombstones.js';
import { openBucketObjects } from '../../src/objects/bucket-objects.js';
import { openFolderObjects } from '../../src/objects/folder-objects.js';
import type { ObjectStore } from '../../src/objects/object-store.js';
import type { OperationCall } from '../../src/operations/operation-call.js';
import type { RegistryTables } from '../../src/rows/tables.js';
import { createSecretStore } from '../../src/secrets/create-secret-store.js';
import { parseMasterKeys } from '../../src/secrets/master-keys.js';
import { recordSharing } from '../../src/sharing/record-sharing.js';
import type { SharingInput } from '../../src/sharing/sharing-decision.js';
import { newMongoUrl } from '../documents/document-stores.js';
import { makeBucket } from '../objects/test-places.js';
import { REGISTRY_DATABASES } from '../registry-databases.js';
import type { KilledPurge } from './killed-purge.js';

export const BACKENDS = ['embedded', 'integrated'] as const;
export type Backend = (typeof BACKENDS)[number];

export const APPLICATION = 1_400_000_001;
export const DAY_MS = 86_400_000;
export const START_MS = Date.UTC(2026, 11, 31, 12);
/** Two months after `START_MS`. */
export const PURGE_MS = Date.UTC(2027, 1, 28, 12);
export const WITHIN_MS = DAY_MS;
export const MASTER_KEYS = parseMasterKeys(`one:${randomBytes(32).toString('base64')}`, 'test');

const ADMIN: Grant = {
  name: 'anna',
  scope: 'admin',
  applications: 'all',
  tokenHash: 'a'.repeat(64),
  recordsPerSecondMax: Infinity,
  expiresMs: Infinity,
};

export type LifecycleUnderTest = Awaited<ReturnType<typeof openLifecycle>>;

export async function openLifecycle(t: TestContext, backend: Backend) {
  const isEmbedded = backend === 'embedded';
  const { database, options, close } = await REGISTRY_DATABASES[isEmbedded ? 'sqlite' : 'mysql']();
  t.after(close);
  const { objects, place } = await openObjects(t, isEmbedded);
  const mongoUrl = isEmbedded ? null : await newMongoUrl();
  const documents = await openDocuments(t, database, mongoUrl);
  const secrets = createSecretStore(MASTER_KEYS, objects);
  const clock = { nowMs: START_MS };
  const dependencies: LifecycleDependencies = {
    database,
    documents,
    secrets,
    putCertificate: secrets.putCertificate,
    checkCallbackUrl: async () => undefined,
    testCallback: async () => ({ address: '', status: 200, durationMs: 0 }),
    onChange: async (tx, before, after, nowMs) =>
      recordSharing(tx, before === null ? null : sharingInput(before), sharingInput(after), nowMs),
    applicationsMax: 1_000,
    region: 'singapore',
    hasTokenFile: false,
    logger: createLogger('test', 'silent'),
    areNoticesDelivered: true,
  };
  const services: LifecycleServices = {
    database,
    steps: {
      distribution: purgeDistribution(database, async () => undefined),
      trtc: purgeTrtc(database),
      documents: purgeDocuments(documents),
      objects: purgeObjects(database, objects),
      telemetry: async () => ({ kind: 'not_used' }),
    },
    putTombstone: async (tombstone) => putTombstone(objects, tombstone),
    areNoticesDelivered: true,
    now: () => clock.nowMs,
    withinMs: WITHIN_MS,
    auditKeptMs: 730 * DAY_MS,
  };
  return {
    database,
    /** How another process finds the same. */
    places: { database: options, mongoUrl, objects: place },
    objects,
    documents,
    secrets,
    clock,
    dependencies,
    services,
    ...operationsOf(dependencies, clock),
    pass: async (more: Partial<LifecycleServices> = {}) => runLifecyclePass({ ...services, ...more }),
  };
}

async function openObjects(
  t: TestContext,
  isEmbedded: boolean,
): Promise<{ objects: ObjectStore; place: KilledPurge['objects'] }> {
  if (isEmbedded) {
    const folder = await mkdtemp(join(tmpdir(), 'imscope-lifecycle-'));
    t.after(() => rm(folder, { recursive: true }));
    return { objects: await openFolderObjects(folder), place: { folder } };
  }
  const bucket = await makeBucket();
  const objects = openBucketObjects(bucket);
  t.after(() => objects.close());
  return { objects, place: { bucket } };
}

async function openDocuments(t: TestContext, database: Database<RegistryTables>, mongoUrl: string | null) {
  if (mongoUrl === null) return createRowDocuments(database.kysely);
  const documents = await openMongoDocuments({ url: mongoUrl, password: '' });
  t.after(() => documents.close());
  return documents;
}

/** Operations of an administrator at the time of the clock. */
function operationsOf(dependencies: LifecycleDependencies, clock: { readonly nowMs: number }) {
  const common = () => ({
    query: {},
    caller: ADMIN,
    nowMs: clock.nowMs,
    signal: AbortSignal.timeout(60_000),
  });
  const params = { sdk_app_id: APPLICATION };
  const withReason = (revision: number): OperationCall<'terminateApplication'> => {
    return { ...common(), params, body: { reason: 'Frau Krause called' }, ifMatch: revision };
  };
  return {
    create: async (name: string, configuration: Partial<ApplicationConfiguration> = {}) => {
      const call = {
        ...common(),
        params: {},
        ifMatch: undefined,
      } as unknown as OperationCall<'createApplication'>;
      const details = { name, data_centre: 'singapore', owner: `owner of ${name}`, subscriptions: ['trtc'] };
      const body = { sdk_app_id: APPLICATION, app_id: 7, uin: 8, details, configuration };
      return createApplication(dependencies)({ ...call, body });
    },
    change: async (revision: number, name: string) => {
      const body = { details: { name }, reason: `renamed to ${name}` };
      return changeApplication(dependencies)({ ...common(), params, body, ifMatch: revision });
    },
    suspend: async (revision: number) => suspendApplication(dependencies)(withReason(revision)),
    terminate: async (revision: number) => terminateApplication(dependencies)(withReason(revision)),
    restore: async (revision: number) => restoreApplication(dependencies)(withReason(revision)),
  };
}

export function sharingInput({ stored, configuration }: CompleteApplication): SharingInput {
  return {
    sdkAppId: stored.identity.sdk_app_id,
    appId: stored.identity.app_id,
    status: stored.status,
    details: stored.details,
    shareWithTrtc: configuration.share_with_trtc,
    createdMs: stored.createdMs,
  };
}

export async function noticeKinds({ database }: LifecycleUnderTest): Promise<string[]> {
  const rows = await database.kysely.selectFrom('notice').select('kind').orderBy('id').execute();
  return rows.map(({ kind }) => kind);
}
