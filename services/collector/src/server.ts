/*
 * The server of POST /v1/request-logs and POST /v1/logs: its addresses, and what all answers have in common. On stopping,
 * new requests are refused and those that are in are answered.
 */
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import {
  answerFrameworkError,
  ERROR_STATUS,
  HttpError,
  installErrorAnswers,
  setErrorAnswers,
} from '@imscope/runtime/http-errors.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Certificate } from './certificate.js';
import type { CountedConnections } from './connections/connection-metrics.js';
import { createListener } from './connections/http-listener.js';
import { answerProtocolErrors } from './connections/protocol-errors.js';
import { checkHead } from './connections/request-head.js';
import { OTLP_LOGS, sendOtlpError } from './endpoints/otlp-logs.js';
import { REQUEST_LOGS } from './endpoints/request-logs.js';
import { takeRequest, type TakeOptions } from './take-request.js';

export type ServerOptions = TakeOptions &
  CountedConnections & {
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

/** While stopping: for heads that are on their way. */
const IDLE_GRACE_MS = 500;

/** Starts listening. `port` of the result is the one in force where 0 was asked for. */
export async function startServer(options: ServerOptions): Promise<CollectorServer> {
  const { metrics, logger, connections } = options;
  const app = Fastify({
    return503OnClosing: false,
    serverFactory: (handler) => {
      const server = createListener(handler, options);
      answerProtocolErrors(server, connections, (error) => {
        options.protocolError(error);
        metrics.requests.inc({ status: String(ERROR_STATUS[error]) });
      });
      return server;
    },
    // Node.js destroys the socket otherwise, before our answer is out.
    clientErrorHandler: () => undefined,
    frameworkErrors: (error, request, reply) => {
      metrics.requests.inc({ status: '400' });
      void reply.header('connection', 'close');
      answerFrameworkError(error, request, reply);
    },
  });
  let stopping = false;
  installErrorAnswers(app, logger);
  app.addHook('onRequest', async (request) => {
    checkHead(request.raw);
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
  app.addHook('onSend', async (request, reply) => {
    if (stopping || connections.endsWithAnswer(request.raw)) reply.header('connection', 'close');
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
      // Node.js waits for heads that never end, and looks at no time limits any more.
      const idleTimer = setTimeout(() => connections.closeIdle(), IDLE_GRACE_MS);
      await app.close();
      clearTimeout(timer);
      clearTimeout(idleTimer);
      options.certificate?.stop();
    },
  };
}
