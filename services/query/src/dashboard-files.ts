/*
 * Serves the built dashboard. Files under assets/ carry a hash in their name and never change; everything else
 * is asked for anew. Addresses without a file of their own are the dashboard's pages and get its index.html.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** @param directory what the dashboard's build wrote. Throws where there is no index.html in it. */
export async function serveDashboard(app: FastifyInstance, directory: string): Promise<void> {
  const root = resolve(directory);
  if (!existsSync(join(root, 'index.html'))) {
    throw new Error(`DASHBOARD_DIR is ${directory}, which holds no index.html: build the dashboard first`);
  }
  const assets = join(root, 'assets/');
  await app.register(fastifyStatic, {
    root,
    wildcard: false,
    cacheControl: false,
    setHeaders: (reply, path) => {
      const immutable = path.startsWith(assets);
      reply.setHeader('cache-control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  app.get('/*', { schema: { hide: true } }, (request, reply) => {
    const [path = ''] = request.url.split('?', 1);
    const isPage = !/^\/v1(\/|$)/.test(path) && !path.slice(path.lastIndexOf('/')).includes('.');
    if (isPage) return reply.sendFile('index.html');
    reply.callNotFound();
    return reply;
  });
}
