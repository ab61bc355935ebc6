/*
 * The admin server of every service, on a separate port that callers cannot reach: `/live` (the event loop runs),
 * `/ready` (503 names the failing dependency; notes name what else needs attention), `/metrics` (Prometheus).
 */
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import type { Registry } from 'prom-client';
import { answerFrameworkError, installErrorAnswers } from './http-errors.js';
import { checkHead } from './http-request-head.js';
import { createHttpServer } from './http-server.js';
import type { Logger } from './logger.js';
import type { Readiness } from './readiness.js';

/** For Prometheus, a supervisor and a few people. At the bound, further connections are closed. */
const CONNECTIONS_MAX = 64;
/** Sent with 503 of `/ready`. Probes repeat every few seconds anyway. */
const RETRY_AFTER_S = 5;

export type AdminServer = { readonly port: number; stop(): Promise<void> };

/** @param port 0 chooses a free port; the result holds the port in use */
export async function startAdminServer(options: {
  host: string;
  port: number;
  registry: Registry;
  readiness: Readiness;
  logger: Logger;
}): Promise<AdminServer> {
  const app = Fastify({
    forceCloseConnections: true,
    return503OnClosing: false,
    serverFactory: (handler) => createHttpServer(handler, { connectionsMax: CONNECTIONS_MAX }),
    // The server has already answered; Fastify would destroy the socket before the answer was sent.
    clientErrorHandler: () => undefined,
    frameworkErrors: answerFrameworkError,
  });
  app.addHook('onRequest', async (request) => checkHead(request.raw));
  installErrorAnswers(app, options.logger);
  app.get('/live', async () => ({ status: 'live' }));
  app.get('/ready', async (_request, reply) => {
    const { ready, failing, notes } = options.readiness.state();
    if (!ready) reply.header('retry-after', String(RETRY_AFTER_S));
    const status = ready ? 'ready' : 'not ready';
    return reply
      .code(ready ? 200 : 503)
      .send({ status, failing, ...(Object.keys(notes).length === 0 ? {} : { notes }) });
  });
  app.get('/metrics', async (_request, reply) => {
    return reply.type(options.registry.contentType).send(await options.registry.metrics());
  });
  await app.listen({ host: options.host, port: options.port });
  const { port } = app.server.address() as AddressInfo;
  return { port, stop: () => app.close() };
}
