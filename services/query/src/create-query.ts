/*
 * Builds the running service out of its settings: store first, listener last; stops in the reverse order.
 */
import type { AddressInfo } from 'node:net';
import type { Running, ServiceContext } from '@imscope/runtime/service.js';
import { createStoreClient } from '@imscope/runtime/store-client.js';
import { openApplications } from '@imscope/access/open-applications.js';
import { addSourceMetrics } from '@imscope/access/source-metrics.js';
import { createAuthentication } from '@imscope/access/authentication.js';
import { createSessionSeal } from '@imscope/access/session-seal.js';
import type { FastifyInstance } from 'fastify';
import { createAnswerBudget } from './store/answer-budget.js';
import type { LookUpApplication } from '@imscope/access/application-settings.js';
import type { AskWithin } from './store/ask-store.js';
import { createDescriptionsOf, createNamesOf } from './store/application-names.js';
import { type AskOptions, createAsk } from './store/ask-store.js';
import { createBalanceReader } from './completeness/balance-reader.js';
import { createCompleteness } from './completeness/completeness.js';
import type { QUERY_SETTINGS } from './config.js';
import { createMetrics, type QueryMetrics } from './metrics.js';
import { createQueryAdmission } from './store/query-admission.js';
import { createNetworks } from './network/networks.js';
import { createServer } from './http/server.js';
import { createSignInCodes } from './access/sign-in-codes.js';
import { createFailureGuard } from '@imscope/access/failure-guard.js';
import { createHeldOf } from './figures/held-parts.js';
import { createHoursOf } from './figures/rollup-hours.js';
import { createLookUpInterface } from './figures/interface-settings.js';
import { createFleetServices } from './fleet/fleet-services.js';
import { createSources } from './figures/source.js';
import { createHistories } from './exceptions/history.js';
import { createMutesOf } from './state/mutes.js';
import { openState } from './state/open-state.js';
import { openRequestStreams } from './streams/open-request-streams.js';
import { watchStore } from './store/store-readiness.js';

/** The store ends a question at its own limit; the client waits this much longer for the store's answer. */
const CLIENT_GRACE_MS = 5_000;
const SIGN_IN_CODES_MAX = 1_000;
const SIGN_IN_ADDRESSES_MAX = 10_000;

export type Query = { readonly app: FastifyInstance; close(): Promise<void> };

/** Creates everything without listening. Throws where the applications file or the dashboard's files are invalid. */
export async function createQuery(context: ServiceContext<typeof QUERY_SETTINGS>): Promise<Query> {
  const { config, logger, registry, readiness } = context;
  const seal = createSessionSeal(config.sessionKey);
  const database = await openState(config);
  const tokens = await openApplications(config, {
    clientName: 'imscope-query',
    logger,
    report: (failure) => readiness.report('registry', failure),
  });
  addSourceMetrics(registry, 'imscope_query', tokens);
  const client = createStoreClient(config, 'imscope-query', config.queryTimeoutMs + CLIENT_GRACE_MS);
  const metrics = createMetrics(registry, {
    storeQueriesInFlight: () => admission.inFlight(),
    storeQueriesWaiting: () => admission.waiting(),
    answerBytesReserved: () => budget.reservedBytes(),
    answersWaiting: () => budget.waiting(),
  });
  const budget = createAnswerBudget({
    memoryBytesMax: config.answerMemoryBytesMax,
    waitingMax: config.storeQueueMax,
    waitMsMax: config.storeQueueWaitMsMax,
    sendMsMax: config.answerSendMsMax,
    metrics,
  });
  const { ask, admission } = openStoreQueries(config, { client, metrics, logger });
  const streams = openRequestStreams(config, { ask, logger, metrics, registry, now: Date.now });
  const balanceOf = createBalanceReader(ask);
  const app = await createServer({
    ask,
    budget,
    sources: createSources({
      hoursOf: createHoursOf(ask),
      heldOf: createHeldOf(ask),
      logRowsMax: config.logRowsMax,
    }),
    completeness: createCompleteness(balanceOf, ask),
    incarnationsOf: async (nowMs) => (await balanceOf(nowMs))?.incarnations,
    interfaceOf: createLookUpInterface(tokens.applicationSettings, config.waitingInterfaces),
    historyOf: createHistories(ask),
    mutesOf: createMutesOf(database, logger),
    database,
    networks: createNetworks(config),
    streams,
    ...applicationServices(ask, tokens.applicationSettings),
    tokens,
    terminated: tokens.terminated,
    authentication: createAuthentication(tokens, seal, 'read'),
    seal,
    codes: createSignInCodes(SIGN_IN_CODES_MAX),
    guard: createFailureGuard(SIGN_IN_ADDRESSES_MAX, 'sign-ins failed'),
    cookieSecure: config.cookieSecure,
    trustProxy: config.trustProxy,
    dashboardDir: config.dashboardDir,
    registryUrl: config.registryUrl,
    metrics,
    logger,
    now: Date.now,
  });
  const watch = watchStore(client, (failure) => readiness.report('store', failure));
  return {
    app,
    async close() {
      watch.stop();
      await app.close();
      await tokens.stop();
      await Promise.all([client.close(), streams.close()]);
      await database?.close();
    },
  };
}

/** Queries of the store within the bounds of the settings. */
function openStoreQueries(
  config: ServiceContext<typeof QUERY_SETTINGS>['config'],
  { client, metrics, logger }: Pick<AskOptions, 'client' | 'logger'> & { readonly metrics: QueryMetrics },
) {
  const admission = createQueryAdmission(
    {
      runningMax: config.storeQueriesMax,
      waitingMax: config.storeQueueMax,
      waitMsMax: config.storeQueueWaitMsMax,
    },
    (reason) => metrics.refused.inc({ reason }),
  );
  const ask = createAsk({
    client,
    admission,
    metrics,
    logger,
    timeoutMs: config.queryTimeoutMs,
    memoryBytesMax: config.queryMemoryBytesMax,
    rowsReadMax: config.queryRowsReadMax,
  });
  return { ask, admission };
}

/** What answers say about applications beside their figures. */
function applicationServices(ask: AskWithin, settingsOf: LookUpApplication) {
  return {
    namesOf: createNamesOf(ask),
    descriptionsOf: createDescriptionsOf(ask),
    fleet: createFleetServices(settingsOf),
  };
}

export async function startQuery(context: ServiceContext<typeof QUERY_SETTINGS>): Promise<Running> {
  const { config, logger } = context;
  const { app, close } = await createQuery(context);
  await app.listen({ host: config.queryHost, port: config.queryPort });
  const { port } = app.server.address() as AddressInfo;
  logger.info({ host: config.queryHost, port, dashboard: config.dashboardDir !== '' }, 'listening');
  return { stop: close };
}
