/*
 * Builds the running registry out of its settings. Order: what it keeps, then the workers that send changes to other
 * systems, then the listener. It stops in the reverse order.
 */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { createFailureGuard } from '@imscope/access/failure-guard.js';
import { createSessionSeal } from '@imscope/access/session-seal.js';
import type { Running, ServiceContext } from '@imscope/runtime/service.js';
import { type ClickHouseClient, createStoreClient } from '@imscope/runtime/store-client.js';
import type { FastifyInstance } from 'fastify';
import type { CompleteApplication, ApplicationDependencies } from './applications/dependencies.js';
import { startTokenFileSync } from './applications/sync-token-file.js';
import { startBackups } from './backup/start-backups.js';
import { checkCallbackUrl } from './callbacks/check-callback-url.js';
import type { CallbackServices } from './callbacks/call-callback.js';
import { createHostResolver } from './callbacks/host-resolver.js';
import { createAddressCheck } from './callbacks/public-address.js';
import { createCallbackTest } from './callbacks/test-callback.js';
import type { REGISTRY_SETTINGS, RegistryConfig } from './config.js';
import { createHandlers } from './create-handlers.js';
import { startDistribution } from './distribution/start-distribution.js';
import { EXPORT_TIME_MAX_MS } from './exports/create-export.js';
import { createRequestLogReader, type ReadRequestLogs } from './exports/request-log-lines.js';
import { createAdminAuthentication } from './http/security.js';
import { createServer } from './http/server.js';
import { createTokenCopy } from './http/token-copy.js';
import { createMetrics, type RegistryMetrics } from './metrics.js';
import { addSignedObjectRoute } from './objects/signed-object-route.js';
import { openState, type RegistryState } from './open-state.js';
import { recordSharing } from './sharing/record-sharing.js';
import type { SharingInput } from './sharing/sharing-decision.js';
import { startSweeps } from './start-sweeps.js';
import { startWorkers } from './start-workers.js';
import { watchPlaces } from './watch-places.js';

export type RegistryContext = ServiceContext<typeof REGISTRY_SETTINGS>;

/** What tests replace: the clock, and the checks of callbacks, whose receivers are on this machine. */
export type RegistryOptions = {
  readonly now?: () => number;
  readonly callbacks?: CallbackServices;
  /** How often terminated applications are looked through. */
  readonly lifecycleEveryMs?: number;
};

export type RunningRegistry = Running & { readonly port: number; readonly state: RegistryState };

const DAY_MS = 86_400_000;
/** A mutation of a purge rewrites parts, and is waited for; exports have a shorter bound of their own. */
const STORE_TIME_MAX_MS = 600_000;
const RESOLVER = { timeoutMs: 2_000, tries: 2 };
/** At the bound the address that failed longest ago is forgotten. */
const GUARDED_ADDRESSES_MAX = 10_000;

export async function startRegistry(
  context: RegistryContext,
  options: RegistryOptions = {},
): Promise<RunningRegistry> {
  const { config, logger, readiness, registry } = context;
  const { now = Date.now } = options;
  const metrics = createMetrics(registry);
  const running: Running[] = [];
  const stop = async (): Promise<void> => {
    for (const one of running.splice(0).toReversed()) await one.stop();
  };
  try {
    const state = await openState(config);
    running.push({ stop: () => state.close() });
    for (const [index, note] of state.notes.entries()) {
      readiness.note(`objects ${index + 1}`, note);
      logger.warn({ note }, 'a check of the place of objects was not possible');
    }
    running.push(...watchPlaces(state, readiness));
    if (config.registryFile !== '') {
      const { database } = state;
      running.push(await startTokenFileSync({ path: config.registryFile, database, logger, now }));
    }
    running.push(startBackupSchedule(context, state, metrics, now));
    const store = openStore(config, running);
    const holder = holderName();
    const { database } = state;
    const distribution = startDistribution(context, { database, holder, now, store });
    running.push(distribution, startSweeps({ ...state, metrics, logger, holder, now }));
    const { lifecycleEveryMs: passEveryMs } = options;
    const { undistributed } = distribution;
    const workers = { state, store, findUndistributed: undistributed, metrics, holder, now, passEveryMs };
    running.push(...startWorkers(context, workers));
    const readRequestLogs =
      store === undefined ? undefined : createRequestLogReader(store, EXPORT_TIME_MAX_MS);
    const onChange = distribution.wake;
    const app = await createApp(context, state, { ...options, now, metrics, readRequestLogs, onChange });
    await app.listen({ host: config.registryHost, port: config.registryPort });
    running.push({ stop: () => app.close() });
    const { port } = app.server.address() as AddressInfo;
    logger.info({ host: config.registryHost, port, database: state.database.place }, 'listening');
    return { stop, port, state };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startBackupSchedule(
  { config, logger }: RegistryContext,
  { database, documents, objects }: RegistryState,
  metrics: RegistryMetrics,
  now: () => number,
): Running {
  return startBackups({
    database,
    documents,
    objects,
    keepDays: config.backupKeepDays,
    intervalHours: config.backupIntervalHours,
    holder: holderName(),
    logger,
    now,
    onPass: ({ newestMs = 0 }) => metrics.newestBackup.set(newestMs / 1_000),
    onFailure: () => metrics.backupFailures.inc(),
  });
}

/** Names this process among the holders of leases. */
function holderName(): string {
  return `${hostname()} ${randomUUID()}`;
}

type AppOptions = RegistryOptions & {
  readonly now: () => number;
  readonly metrics: RegistryMetrics;
  readonly readRequestLogs: ReadRequestLogs | undefined;
  readonly onChange: () => void;
};

/** Undefined where no telemetry store is configured. */
function openStore(config: RegistryConfig, running: Running[]): ClickHouseClient | undefined {
  if (config.storeUrl === '') return undefined;
  const client = createStoreClient(config, 'imscope-registry', STORE_TIME_MAX_MS);
  running.push({ stop: () => client.close() });
  return client;
}

async function createApp(
  { config, logger }: RegistryContext,
  state: RegistryState,
  { now, callbacks, metrics, readRequestLogs, onChange }: AppOptions,
): Promise<FastifyInstance> {
  const { objects } = state;
  return createServer({
    handlers: createHandlers({
      ...applicationDependencies(config, state, callbacks ?? callbackServices(config), logger),
      areNoticesDelivered: config.noticeUrl !== '',
      isTrtcConfigured: config.trtcUrl !== '',
      exports: {
        ...state,
        readRequestLogs,
        applicationsKeptMs: config.exportDays * DAY_MS,
        byteCountMax: config.exportBytesMax,
      },
    }),
    authenticate: createAdminAuthentication({
      tokens: createTokenCopy(state.database.kysely, now),
      seal: createSessionSeal(config.sessionKey),
      guard: createFailureGuard(GUARDED_ADDRESSES_MAX, 'tokens were wrong'),
      onRefused: (reason) => metrics.refused.inc({ reason }),
      now,
    }),
    trustProxy: config.trustProxy,
    addRoutes: (app) => {
      if ('isSigned' in objects) addSignedObjectRoute(app, objects, now);
    },
    onChange,
    metrics,
    logger,
    now,
  });
}

function applicationDependencies(
  config: RegistryConfig,
  state: RegistryState,
  callbacks: CallbackServices,
  logger: RegistryContext['logger'],
): ApplicationDependencies {
  const { database, documents, secrets } = state;
  return {
    database,
    documents,
    secrets,
    putCertificate: (...certificate) => secrets.putCertificate(...certificate),
    checkCallbackUrl: (url) => checkCallbackUrl(url, callbacks),
    testCallback: createCallbackTest(callbacks),
    onChange: (transaction, before, after, nowMs) =>
      recordSharing(transaction, before === null ? null : sharingInput(before), sharingInput(after), nowMs),
    applicationsMax: config.applicationsMax,
    region: config.region,
    hasTokenFile: config.registryFile !== '',
    logger,
  };
}

function callbackServices({ callbackDeniedRanges }: RegistryConfig): CallbackServices {
  return {
    resolveHost: createHostResolver(RESOLVER),
    isAddressAllowed: createAddressCheck(callbackDeniedRanges),
  };
}

function sharingInput({ stored, configuration }: CompleteApplication): SharingInput {
  return {
    sdkAppId: stored.identity.sdk_app_id,
    appId: stored.identity.app_id,
    status: stored.status,
    details: stored.details,
    shareWithTrtc: configuration.share_with_trtc,
    createdMs: stored.createdMs,
  };
}
