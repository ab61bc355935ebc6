/*
 * The store as a server: engine, sessions and spool behind ClickHouse's HTTP interface. Plain node:http, because
 * bodies go byte for byte into files and results come out of pipes; a framework would only stand between.
 * Stop: no new requests, running inserts end, reads may for a while, then the data directory is let go.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ServiceContext } from '@imscope/runtime/service.js';
import { type STORE_SETTINGS, type StoreConfig, refuseOpenStore } from './config.js';
import { type Engine, openEngine } from './engine.js';
import { writeEngineConfig } from './engine-config.js';
import { type QueryContext, handleQuery } from './handle-query.js';
import { createStoreMetrics } from './metrics.js';
import { createSessionPool } from './session-pool.js';
import { type Spool, createSpool } from './spool.js';
import { checkThreadPool } from './thread-pool.js';

export type RunningStore = { readonly port: number; stop(): Promise<void> };

type Context = Omit<ServiceContext<typeof STORE_SETTINGS>, 'stop'>;

/** One session stops others: KILL must not wait behind what it is to stop. */
const CONTROL_SESSIONS = 2;
/** A body must have come whole by then; idle connections are closed. */
const REQUEST_TIMEOUT_MS = 300_000;
const KEEP_ALIVE_MS = 10_000;
/** When the store stops, reads may go on for so long; inserts always end. */
const STOP_READS_MS = 3000;

/**
 * Opens the data directory and listens. Throws where it is taken, or would stand open without a password.
 * @param threads size of the libuv pool, from the environment
 */
export async function startStore(context: Context, threads: string | undefined): Promise<RunningStore> {
  const { config, logger, registry, readiness, fail } = context;
  refuseOpenStore(config);
  checkThreadPool(threads, config.readSessionsMax + config.writeSessionsMax + CONTROL_SESSIONS);
  const { spool, engine } = await openBehindSpool(config);
  const { readSessionsMax: read, writeSessionsMax: write, queueLengthMax } = config;
  const pool = createSessionPool(engine, { read, write, control: CONTROL_SESSIONS }, queueLengthMax);
  const stopReads = new AbortController();
  const query: QueryContext = {
    config,
    credentials: { user: config.storeUser, password: config.storePassword },
    facts: { version: engine.version, timezone: engine.timezone, displayName: hostname() },
    pool,
    spool,
    metrics: createStoreMetrics(
      registry,
      (lane) => pool.state(lane),
      () => spool.bytes(),
    ),
    logger,
    reads: new Map(),
    stopReads: stopReads.signal,
    fail,
  };
  let stopping = false;
  const running = new Set<Promise<void>>();
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      const answered = stopping ? refuseStopping(response) : route(query, request, response);
      const left = answered.then(() => sent(response));
      running.add(left);
      void left.finally(() => running.delete(left));
    },
  );
  server.maxConnections = config.connectionsMax;
  const letGo = async (): Promise<void> => {
    pool.close();
    await engine.close();
    spool.close();
  };
  const port = await listen(server, config.storeHost, config.storePort).catch(async (error: unknown) => {
    await letGo();
    throw error;
  });
  readiness.report('engine');
  logger.info(
    { port, version: engine.version, inMemory: existsSync(config.storeSpoolDir) },
    'the store listens',
  );
  return {
    port,
    async stop() {
      stopping = true;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const timer = setTimeout(() => stopReads.abort(), STOP_READS_MS);
      await Promise.all(running);
      clearTimeout(timer);
      server.closeAllConnections();
      await closed;
      await letGo();
    },
  };
}

/** The spool first, for the engine's configuration lies in it; leftovers last, for the data directory is ours then. */
async function openBehindSpool(config: StoreConfig): Promise<{ spool: Spool; engine: Engine }> {
  const { storeDataDir, storeSpoolDir, spoolBytesMax, lockWaitMs, mergeThreads } = config;
  mkdirSync(storeDataDir, { recursive: true, mode: 0o700 });
  const spool = createSpool(storeSpoolDir, storeDataDir, spoolBytesMax);
  const engineArguments = writeEngineConfig(spool.directory, spool.emptyDirectory, mergeThreads);
  try {
    const engine = await openEngine(join(storeDataDir, 'engine'), engineArguments, lockWaitMs);
    spool.removeLeftovers();
    return { spool, engine };
  } catch (error) {
    spool.close();
    throw error;
  }
}

async function route(
  context: QueryContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // null for an address such as `//`, which names a host without a name.
  const url = URL.parse(request.url ?? '/', 'http://store');
  const { method } = request;
  const text = (status: number, body: string): void => {
    response.writeHead(status, { 'Content-Type': 'text/plain; charset=UTF-8' });
    response.end(method === 'HEAD' ? undefined : body);
  };
  if (url === null)
    return text(400, 'The address cannot be read\nUse / or /ping for health checks, / for queries\n');
  if (method !== 'GET' && method !== 'POST' && method !== 'HEAD')
    return text(501, `Method ${method} is not supported: use GET or POST\n`);
  if (url.pathname === '/ping' || url.pathname === '/replicas_status') return text(200, 'Ok.\n');
  if (url.pathname !== '/' && url.pathname !== '/query')
    return text(404, `There is no handle ${url.pathname}\nUse / or /ping for health checks, / for queries\n`);
  if (method !== 'POST' && !url.searchParams.has('query')) return text(200, 'Ok.\n');
  await handleQuery(context, request, response, url);
}

/** Resolves when the answer has left, or its client has. */
async function sent(response: ServerResponse): Promise<void> {
  if (!response.closed) await new Promise((resolve) => response.once('close', resolve));
}

async function refuseStopping(response: ServerResponse): Promise<void> {
  response.writeHead(503, { Connection: 'close', 'X-ClickHouse-Exception-Code': '236', 'Retry-After': '1' });
  response.end('Code: 236. DB::Exception: The store is stopping; try again in a moment. (ABORTED)\n');
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}
