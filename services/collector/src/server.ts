/*
 * The listeners of POST /v1/request-logs, over TLS where there is a certificate: one for gateways, and one for
 * balancers that speak the PROXY protocol, where it is wanted. Owns connections and their time limits; on stopping,
 * connections are let go first, then new requests are refused, and those that are in are answered.
 */
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyInstance, type FastifyServerFactory } from 'fastify';
import { HttpError, installErrorAnswers } from '@imscope/runtime/http-errors.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Certificate } from './certificate.js';
import { ClientAddresses } from './clients/client-addresses.js';
import { createRefusalLog } from './clients/refusal-log.js';
import { OpenConnections } from './open-connections.js';
import type { ProxyListener } from './proxy-protocol/proxy-listener.js';
import { type ProxyFront, startProxyFront } from './proxy-protocol/proxy-front.js';
import { takeRequest, type TakeOptions } from './take-request.js';

export type ServerOptions = TakeOptions & {
  readonly host: string;
  readonly port: number;
  /** Undefined: no listener that speaks the PROXY protocol. */
  readonly proxyProtocol: ProxyFront | undefined;
  /** Proxies whose X-Forwarded-For is believed. */
  readonly forwardedHops: number;
  /** Undefined: plain HTTP. */
  readonly certificate: Certificate | undefined;
  readonly logger: Logger;
};

export type CollectorServer = {
  readonly port: number;
  /** Of the PROXY protocol; undefined where there is none. */
  readonly proxyPort: number | undefined;
  /**
   * Requests are taken as before, each answer closes its connection: whoever is told by `/ready` that we stop goes
   * elsewhere meanwhile. Ends after `timeoutMs`, or when no connection is open.
   */
  drain(timeoutMs: number): Promise<void>;
  /** New requests get 503 and their connections are closed; waits for those that are in, at most this long. */
  stop(timeoutMs: number): Promise<void>;
};

/** Longest a client may take to send a request. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than balancers keep theirs (deploy/), so that none sends a request into a connection that just ends. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

type Phase = 'serving' | 'draining' | 'stopping';

/** Starts listening. Ports of the result are those in force where 0 was asked for. */
export async function startServer(options: ServerOptions): Promise<CollectorServer> {
  const { certificate, proxyProtocol, logger } = options;
  let phase: Phase = 'serving';
  const clients = new ClientAddresses(options.forwardedHops);
  const app = createApp(options, clients, () => phase);
  const connections = new OpenConnections();
  app.server.on('connection', (socket) => connections.add(socket));
  app.server.on(certificate === undefined ? 'connection' : 'secureConnection', (socket) =>
    clients.connected(socket),
  );
  await app.listen({ host: options.host, port: options.port });
  const { port } = app.server.address() as AddressInfo;
  const proxy =
    proxyProtocol === undefined
      ? undefined
      : await startProxyFront(proxyProtocol, { server: app.server, certificate, clients, logger });
  return {
    port,
    proxyPort: proxy?.port,
    drain: async (timeoutMs) => {
      phase = 'draining';
      // Whoever has not come for so long does not come just now.
      await sleep(Math.max(0, timeoutMs - connections.quietMs(performance.now())));
    },
    stop: async (timeoutMs) => {
      phase = 'stopping';
      await closeAll(app, proxy, timeoutMs);
      certificate?.stop();
    },
  };
}

function createApp(options: ServerOptions, clients: ClientAddresses, phase: () => Phase): FastifyInstance {
  const { metrics, logger } = options;
  const app = Fastify({
    return503OnClosing: false,
    serverFactory: serverFactory(options.certificate),
  });
  const refusals = createRefusalLog(logger);
  installErrorAnswers(app, logger);
  app.addHook('onRequest', async () => {
    if (phase() === 'stopping') {
      throw new HttpError(
        'unavailable',
        'this collector is stopping: nothing of this request was taken, send it again',
        {
          retryAfterS: 1,
        },
      );
    }
  });
  app.addHook('onSend', async (_request, reply) => {
    if (phase() !== 'serving') reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    metrics.requests.inc({ status: String(reply.statusCode) });
    metrics.requestSeconds.observe(reply.elapsedTime / 1000);
    refusals.answered(reply.statusCode, clients.of(request.raw));
  });
  // Bodies are read by the handler, after it knows who sends and that there is room.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.post('/v1/request-logs', (request, reply) => takeRequest(request, reply, options));
  return app;
}

async function closeAll(
  app: FastifyInstance,
  proxy: ProxyListener | undefined,
  timeoutMs: number,
): Promise<void> {
  const timer = setTimeout(() => {
    app.server.closeAllConnections();
    proxy?.closeAllConnections();
  }, timeoutMs);
  await Promise.all([app.close(), proxy?.stop()]);
  clearTimeout(timer);
}

function serverFactory(certificate: Certificate | undefined): FastifyServerFactory {
  const bounds = { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS };
  return (handler): Server => {
    if (certificate === undefined) return createServer(bounds, handler);
    const server = createTlsServer({ ...bounds, ...certificate.pair, minVersion: 'TLSv1.2' }, handler);
    // Open connections keep what they have agreed on.
    certificate.watch((pair) => server.setSecureContext({ ...pair, minVersion: 'TLSv1.2' }));
    return server;
  };
}
