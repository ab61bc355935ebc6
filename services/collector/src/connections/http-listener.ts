/*
 * The HTTP server itself, over TLS where there is a certificate: how long a client may take for what, how large a head
 * may be, and that nothing Node.js would answer by itself goes out in another form than ours.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { HEAD_BYTES_MAX } from '@imscope/runtime/http-protocol-errors.js';
import type { Certificate } from './certificate.js';
import type { ClientAddresses } from '../clients/client-addresses.js';
import type { Connections } from './connections.js';

/** From the first byte of a head, or from opening the connection, to its end; as long for a TLS handshake. */
export const HEAD_TIMEOUT_MS = 5_000;
/** Longest a client may take to send a request. Only one with a valid token is waited for. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Between two requests. Longer than balancers keep theirs (deploy/), so that none sends a request into one that ends. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** Without a byte in either direction, whatever the reason: longer than anything of ours may take. */
const SILENCE_TIMEOUT_MS = 120_000;
/** How often the first two are looked at. */
const LOOK_INTERVAL_MS = 1_000;

const BOUNDS = {
  headersTimeout: HEAD_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  connectionsCheckingInterval: LOOK_INTERVAL_MS,
  maxHeaderSize: HEAD_BYTES_MAX,
  // Answered by us, in the one form of errors.
  requireHostHeader: false,
};

/** Bodies that are sent only when they are asked for (`Expect: 100-continue`). */
const asking = new WeakMap<IncomingMessage, () => void>();

/** The body is wanted: tells a client that waits to hear it. */
export function askForBody(request: IncomingMessage): void {
  asking.get(request)?.();
  asking.delete(request);
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
  // Headers beyond a number would be dropped without a word: they are counted by us instead.
  server.maxHeadersCount = 0;
  server.timeout = SILENCE_TIMEOUT_MS;
  server.on('connection', (socket: Socket) => connections.opened(socket, clients.connected(socket)));
  if (certificate !== undefined) {
    onSecured(server, (socket, secured) => {
      connections.secured(socket, secured);
      clients.secured(socket, secured);
    });
  }
  const handle: RequestListener = (request, response) => {
    connections.began(request, response);
    handler(request, response);
  };
  server.on('request', handle);
  server.on('checkContinue', (request, response) => {
    asking.set(request, () => response.writeContinue());
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
  // Open connections keep what they have agreed on.
  certificate.watch((pair) => server.setSecureContext({ ...pair, minVersion: 'TLSv1.2' }));
  return server;
}

/** A TLS connection is counted from its first byte, before any handshake; the two are told to be one by their ends. */
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
