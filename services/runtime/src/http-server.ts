/*
 * The HTTP server of services whose callers are people and programs of ours: bounded in connections, in bytes of a head
 * and in time, and no answer leaves it in another form than ours. Services install `checkHead` beside it.
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
/** Longest a client may take to send a request. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Between two requests. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/** How often these are checked. */
const CHECK_INTERVAL_MS = 1_000;

export type HttpServerOptions = {
  /** At the bound further connections are closed at once. */
  readonly connectionsMax: number;
  /** Told each answer to bytes that are no request. */
  readonly onProtocolError?: (error: ProtocolError) => void;
};

/** Not yet listening. */
export function createHttpServer(handler: RequestListener, options: HttpServerOptions): Server {
  const server = createServer({
    headersTimeout: HEAD_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    maxHeaderSize: HEAD_BYTES_MAX,
    // `checkHead` answers it, in the one form of errors.
    requireHostHeader: false,
  });
  // Node.js drops headers beyond a number without a word; `checkHead` counts them instead.
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
