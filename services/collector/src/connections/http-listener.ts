/*
 * Creates the HTTP server, with TLS if there is a certificate. Sets its time limits and the size of a request's head, and
 * handles what Node.js would otherwise answer in another form.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { HEAD_BYTES_MAX } from '@imscope/runtime/http-protocol-errors.js';
import type { Certificate } from './certificate.js';
import type { ClientAddresses } from '../clients/client-addresses.js';
import type { Connections } from './connections.js';

/** From the opening of the connection, or the first byte of a head, to the end of the head. Also for a TLS handshake. */
export const HEAD_TIMEOUT_MS = 5_000;
/** For a complete request. Without a valid token the body is not read. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Between two requests. Longer than that of balancers (deploy/), so that none sends a request on a closing connection. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** Without a byte in either direction: longer than any request may take. */
const SILENCE_TIMEOUT_MS = 120_000;
/** How often HEAD_TIMEOUT_MS and REQUEST_TIMEOUT_MS are checked. */
const CHECK_INTERVAL_MS = 1_000;

const BOUNDS = {
  headersTimeout: HEAD_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  connectionsCheckingInterval: CHECK_INTERVAL_MS,
  maxHeaderSize: HEAD_BYTES_MAX,
  // Checked by `checkHead`, which answers in the form of all errors.
  requireHostHeader: false,
};

/** Requests with `Expect: 100-continue` whose body was not requested yet. */
const awaitingContinue = new WeakMap<IncomingMessage, () => void>();

/** Sends 100 Continue to a client that waits for it. */
export function sendContinue(request: IncomingMessage): void {
  awaitingContinue.get(request)?.();
  awaitingContinue.delete(request);
}

export function createListener(
  handler: RequestListener,
  options: {
    readonly certificate: Certificate | undefined;
    readonly connections: Connections;
    readonly clients: ClientAddresses;
  },
): Server {
  const { certificate, connections, clients } = options;
  const server = certificate === undefined ? createServer(BOUNDS) : createSecure(certificate);
  // Node.js would silently drop headers beyond a number; `checkHead` counts them instead.
  server.maxHeadersCount = 0;
  server.timeout = SILENCE_TIMEOUT_MS;
  server.on('connection', (socket: Socket) => connections.opened(socket, clients.opened(socket)));
  if (certificate !== undefined) {
    onSecured(server, (socket, secured) => {
      connections.secured(socket, secured);
      clients.secured(socket, secured);
    });
  }
  const handle: RequestListener = (request, response) => {
    connections.requestBegan(request, response);
    handler(request, response);
  };
  server.on('request', handle);
  server.on('checkContinue', (request, response) => {
    awaitingContinue.set(request, () => response.writeContinue());
    handle(request, response);
  });
  server.on('checkExpectation', handle);
  return server;
}

function createSecure(certificate: Certificate): Server {
  const server = createTlsServer({
    ...BOUNDS,
    ...certificate.pair,
    minVersion: 'TLSv1.2',
    handshakeTimeout: HEAD_TIMEOUT_MS,
  });
  // Open connections keep the certificate of their handshake.
  certificate.watch((pair) => server.setSecureContext({ ...pair, minVersion: 'TLSv1.2' }));
  return server;
}

/**
 * Calls back with the TCP socket of each TLS session, which has the same addresses and ports. Connections are counted by their
 * TCP socket, before the handshake.
 */
function onSecured(server: Server, callback: (socket: Socket, secured: Socket) => void): void {
  const open = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const ends = endsOf(socket);
    open.set(ends, socket);
    socket.once('close', () => open.delete(ends));
  });
  server.prependListener('secureConnection', (secured: TLSSocket) => {
    const socket = open.get(endsOf(secured));
    if (socket !== undefined) callback(socket, secured);
  });
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
