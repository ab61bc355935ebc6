/*
 * The HTTP server of query, admin and other endpoints for people and internal clients, with bounds on connections,
 * header bytes and time. All its error answers have our form. Services add `checkHead` as a hook.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import {
  answerProtocolErrors,
  type Exchange,
  HEAD_BYTES_MAX,
  type ProtocolError,
} from './http-protocol-errors.js';

/** From the first byte of a head to its end. */
const HEAD_TIMEOUT_MS = 10_000;
/** Longest time for a client to send a request, where the service names no other. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Longest idle time between two requests. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/** How often these are checked. */
const CHECK_INTERVAL_MS = 1_000;

export type HttpServerOptions = {
  /** Beyond this number, new connections are closed at once. */
  readonly connectionsMax: number;
  /** Longest time for a client to send a request; 30 s where left out. */
  readonly requestTimeoutMs?: number;
  /** Called for each answer to bytes that are not a request. */
  readonly onProtocolError?: (error: ProtocolError) => void;
};

/** The server is not listening yet. */
export function createHttpServer(handler: RequestListener, options: HttpServerOptions): Server {
  const server = createServer({
    headersTimeout: HEAD_TIMEOUT_MS,
    requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    maxHeaderSize: HEAD_BYTES_MAX,
    // `checkHead` answers it in our form of errors.
    requireHostHeader: false,
  });
  // Node.js silently drops headers beyond a number; `checkHead` counts them instead.
  server.maxHeadersCount = 0;
  server.maxConnections = options.connectionsMax;
  const exchanges = new WeakMap<Socket, Set<Exchange>>();
  const handle: RequestListener = (request, response) => {
    const exchange = { request, response };
    const open = exchanges.get(request.socket) ?? new Set();
    exchanges.set(request.socket, open.add(exchange));
    response.once('close', () => open.delete(exchange));
    handler(request, response);
  };
  server.on('request', handle);
  // Node.js would answer 417 without a body; `checkHead` answers it.
  server.on('checkExpectation', handle);
  answerProtocolErrors(
    server,
    (socket) => exchanges.get(socket) ?? [],
    (error) => options.onProtocolError?.(error),
  );
  return server;
}
