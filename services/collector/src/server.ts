/*
 * The HTTP server: its routes, and what all answers have in common. It has a listener for gateways and, where that is
 * configured, one for load balancers that speak the PROXY protocol. On stopping, connections are closed with their next
 * answer, then new requests are refused, and those already accepted are answered.
 */
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import {
  answerFrameworkError,
  ERROR_STATUS,
  HttpError,
  installErrorAnswers,
  setErrorAnswers,
} from '@imscope/runtime/http-errors.js';
import { answerProtocolErrors } from '@imscope/runtime/http-protocol-errors.js';
import { checkHead } from '@imscope/runtime/http-request-head.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Certificate } from './connections/certificate.js';
import { isTokenRefused, type RefusalLog } from './clients/refusal-log.js';
import { createListener } from './connections/http-listener.js';
import { OTLP_LOGS, sendOtlpError } from './requests/otlp-logs.js';
import { REQUEST_LOGS } from './requests/request-logs.js';
import type { Admission } from './admission.js';
import { describeOtlpLogs, describeRequestLogs } from './openapi/intake-operations.js';
import { serveDocument } from './openapi/serve-document.js';
import { describeTap } from './openapi/tap-operation.js';
import { type ProxyPort, startProxyPort } from './proxy-protocol/proxy-port.js';
import type { ProxyListener } from './proxy-protocol/proxy-listener.js';
import { serveTap } from './tap/serve-tap.js';
import { type AcceptOptions, acceptRequest } from './requests/accept-request.js';

export type ServerOptions = AcceptOptions &
  Admission & {
    readonly host: string;
    readonly port: number;
    /** Undefined: no PROXY protocol listener. */
    readonly proxyProtocol: ProxyPort | undefined;
    /** Undefined: plain HTTP. */
    readonly certificate: Certificate | undefined;
    readonly refusals: RefusalLog;
    readonly logger: Logger;
  };

export type CollectorServer = {
  readonly port: number;
  /** Of the PROXY protocol listener; undefined where there is none. */
  readonly proxyPort: number | undefined;
  /**
   * Requests are still accepted, but each answer closes its connection: `/ready` tells load balancers to send
   * elsewhere meanwhile. Resolves after `timeoutMs`, or earlier once no connection has been open for that long.
   */
  drain(timeoutMs: number): Promise<void>;
  /** New requests get 503 and their connections are closed; waits for accepted requests, at most this long. */
  stop(timeoutMs: number): Promise<void>;
};

/** While stopping: for request heads that are being received. */
const IDLE_GRACE_MS = 500;

type Phase = 'serving' | 'draining' | 'stopping';

/** Starts listening. The result has the ports that the system chose where 0 was configured. */
export async function startServer(options: ServerOptions): Promise<CollectorServer> {
  const { certificate, proxyProtocol, connections } = options;
  let phase: Phase = 'serving';
  const app = createApp(options, () => phase);
  await addRoutes(app, options);
  await app.listen({ host: options.host, port: options.port });
  const { port } = app.server.address() as AddressInfo;
  const proxy =
    proxyProtocol === undefined
      ? undefined
      : await startProxyPort(proxyProtocol, {
          server: app.server,
          secure: certificate !== undefined,
          clients: options.clients,
          logger: options.logger,
        });
  return {
    port,
    proxyPort: proxy?.port,
    drain: async (timeoutMs) => {
      phase = 'draining';
      await sleep(Math.max(0, timeoutMs - connections.quietMs(performance.now())));
    },
    stop: async (timeoutMs) => {
      phase = 'stopping';
      options.taps.endAll();
      // While it closes, Node.js checks no timeouts, so a head that never ends would be waited for.
      const idleTimer = setTimeout(() => connections.closeIdle(), IDLE_GRACE_MS);
      await closeAll(app, proxy, timeoutMs);
      clearTimeout(idleTimer);
      certificate?.stop();
    },
  };
}

function createApp(options: ServerOptions, phase: () => Phase): FastifyInstance {
  const { metrics, logger, connections } = options;
  const exchangesOf = (socket: Socket) => connections.of(socket)?.exchanges ?? [];
  const app = Fastify({
    return503OnClosing: false,
    serverFactory: (handler) => {
      const server = createListener(handler, options);
      answerProtocolErrors(server, exchangesOf, (error) => {
        options.protocolError(error);
        metrics.requests.inc({ status: String(ERROR_STATUS[error]) });
      });
      return server;
    },
    // Node.js destroys the socket otherwise, before our answer is out.
    clientErrorHandler: () => undefined,
    frameworkErrors: (error, request, reply) => {
      metrics.requests.inc({ status: '400' });
      answerFrameworkError(error, request, reply);
    },
  });
  app.addHook('onRequest', async (request) => {
    checkHead(request.raw);
    if (phase() === 'stopping') {
      throw new HttpError(
        'unavailable',
        'this collector is stopping: nothing of this request was accepted, send it again',
        { retryAfterS: 1 },
      );
    }
  });
  installErrorAnswers(app, logger);
  app.addHook('onSend', async (request, reply) => {
    const ends = phase() !== 'serving' || connections.endsWithAnswer(request.raw);
    if (ends) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (_request, reply) => {
    metrics.requests.inc({ status: String(reply.statusCode) });
    metrics.requestSeconds.observe(reply.elapsedTime / 1000);
  });
  return app;
}

async function addRoutes(app: FastifyInstance, options: ServerOptions): Promise<void> {
  // The handler reads the body, after the token and the capacity are checked.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  serveDocument(app, options);
  const recorded = recordRefusals(options);
  const requestLogs = { config: { operation: describeRequestLogs(REQUEST_LOGS.formats) } };
  app.post(
    '/v1/request-logs',
    requestLogs,
    recorded((request, reply) => acceptRequest(request, reply, REQUEST_LOGS, options)),
  );
  const tap = { exposeHeadRoute: false, config: { operation: describeTap } };
  app.get(
    '/v1/tap',
    tap,
    recorded(async (request, reply) => serveTap(request, reply, options)),
  );
  await app.register(async (otlp) => {
    setErrorAnswers(otlp, options.logger, sendOtlpError);
    const logs = { config: { operation: describeOtlpLogs(OTLP_LOGS.formats) } };
    otlp.post(
      '/v1/logs',
      logs,
      recorded((request, reply) => acceptRequest(request, reply, OTLP_LOGS, options)),
    );
  });
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** Makes a handler record the requests that it refuses entirely. */
function recordRefusals({ refusals, metrics, connections, clients }: ServerOptions) {
  return (handle: Handler): Handler =>
    async (request, reply) => {
      try {
        return await handle(request, reply);
      } catch (error) {
        // Anything else is a defect of the collector, and is logged as one.
        if (error instanceof HttpError) {
          metrics.requestsRefused.inc({ reason: error.code });
          refusals.requestRefused({
            code: error.code,
            // The connection keeps the sender of its last valid token; a wrong token is not that sender's.
            sender: isTokenRefused(error.code) ? undefined : connections.of(request.raw.socket)?.sender,
            client: clients.addressOf(request.raw),
            path: request.routeOptions.url ?? 'none',
            contentType: request.headers['content-type'],
            contentEncoding: request.headers['content-encoding'],
          });
        }
        throw error;
      }
    };
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
