/*
 * The HTTP server of the store: routes, health checks, and an orderly stop. It uses plain node:http, because bodies
 * go to files and results come from pipes unchanged.
 */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type QueryContext, handleQuery } from './handle-query.js';

export type StoreServer = {
  /** @returns the port */
  listen(host: string, port: number): Promise<number>;
  /** Refuses new requests, waits for running inserts to end, and stops reads that take too long. */
  stop(): Promise<void>;
};

/** A request must be complete within this time. */
const REQUEST_TIMEOUT_MS = 300_000;
/** Idle connections are closed after this time. */
const KEEP_ALIVE_MS = 10_000;
/** Reads that still run this long after the stop began are stopped. Inserts always end. */
const STOP_READS_MS = 3000;

export function createStoreServer(options: Omit<QueryContext, 'reads' | 'stopReads'>): StoreServer {
  const stopReads = new AbortController();
  const context: QueryContext = { ...options, reads: new Map(), stopReads: stopReads.signal };
  let stopping = false;
  const running = new Set<Promise<void>>();
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      const answered = stopping ? refuseStopping(response) : route(context, request, response);
      const exchange = answered.then(() => untilClosed(response));
      running.add(exchange);
      void exchange.finally(() => running.delete(exchange));
    },
  );
  server.maxConnections = options.config.connectionsMax;
  return {
    listen: (host, port) => listen(server, host, port),
    async stop() {
      stopping = true;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const timer = setTimeout(() => stopReads.abort(), STOP_READS_MS);
      await Promise.all(running);
      clearTimeout(timer);
      server.closeAllConnections();
      await closed;
    },
  };
}

async function route(
  context: QueryContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // null for an address such as `//`, which has an empty host name.
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

/** Resolves when the answer was sent completely, or the client disconnected. */
async function untilClosed(response: ServerResponse): Promise<void> {
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
