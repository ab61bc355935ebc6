/*
 * The listener of POST /v1/request-logs and POST /v1/logs, over TLS where there is a certificate. Owns connections and their
 * time limits; on stopping, new requests are refused and those that are in are answered.
 */
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyServerFactory } from 'fastify';
import { HttpError, installErrorAnswers, setErrorAnswers } from '@imscope/runtime/http-errors.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Certificate } from './certificate.js';
import { OTLP_LOGS, sendOtlpError } from './endpoints/otlp-logs.js';
import { REQUEST_LOGS } from './endpoints/request-logs.js';
import { takeRequest, type TakeOptions } from './take-request.js';

export type ServerOptions = TakeOptions & {
  readonly host: string;
  readonly port: number;
  /** Undefined: plain HTTP. */
  readonly certificate: Certificate | undefined;
  readonly logger: Logger;
};

export type CollectorServer = {
  readonly port: number;
  /** New requests get 503 and their connections are closed; waits for those that are in, at most this long. */
  stop(timeoutMs: number): Promise<void>;
};

/** Longest a client may take to send a request. */
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** Starts listening. `port` of the result is the one in force where 0 was asked for. */
export async function startServer(options: ServerOptions): Promise<CollectorServer> {
  const { metrics, logger } = options;
  const app = Fastify({
    return503OnClosing: false,
    serverFactory: serverFactory(options.certificate),
  });
  let stopping = false;
  installErrorAnswers(app, logger);
  app.addHook('onRequest', async () => {
    if (stopping) {
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
    if (stopping) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (_request, reply) => {
    metrics.requests.inc({ status: String(reply.statusCode) });
    metrics.requestSeconds.observe(reply.elapsedTime / 1000);
  });
  // Bodies are read by the handler, after it knows who sends and that there is room.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.post('/v1/request-logs', (request, reply) => takeRequest(request, reply, REQUEST_LOGS, options));
  await app.register(async (otlp) => {
    setErrorAnswers(otlp, logger, sendOtlpError);
    otlp.post('/v1/logs', (request, reply) => takeRequest(request, reply, OTLP_LOGS, options));
  });
  await app.listen({ host: options.host, port: options.port });
  const { port } = app.server.address() as AddressInfo;
  return {
    port,
    stop: async (timeoutMs) => {
      stopping = true;
      const timer = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
      await app.close();
      clearTimeout(timer);
      options.certificate?.stop();
    },
  };
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
