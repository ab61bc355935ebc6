/*
 * The admin server every service has, on a port of its own that is never opened to callers:
 * `/live` (the event loop turns), `/ready` (503 names the dependency that fails), `/metrics` (Prometheus).
 */
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import type { Registry } from 'prom-client';
import type { Readiness } from './readiness.js';

export type AdminServer = { readonly port: number; stop(): Promise<void> };

/** @param port 0 takes a free one; `port` of the result is the one in force */
export async function startAdminServer(options: {
  host: string;
  port: number;
  registry: Registry;
  readiness: Readiness;
}): Promise<AdminServer> {
  const app = Fastify({ forceCloseConnections: true });
  app.get('/live', async () => ({ status: 'live' }));
  app.get('/ready', async (_request, reply) => {
    const { ready, failing } = options.readiness.state();
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', failing });
  });
  app.get('/metrics', async (_request, reply) => {
    return reply.type(options.registry.contentType).send(await options.registry.metrics());
  });
  await app.listen({ host: options.host, port: options.port });
  const { port } = app.server.address() as AddressInfo;
  return { port, stop: () => app.close() };
}
