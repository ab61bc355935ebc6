/*
 * Serves the built dashboard. Files under assets/ carry a hash in their name and never change; browsers
 * revalidate everything else. The dashboard's pages get its index.html; other addresses without a file are 404.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fastifyStatic from '@fastify/static';
import { plainInteger } from '@imscope/runtime/query-parameters.js';
import { DASHBOARD_PAGES } from '@imscope/schemas/query-api/dashboard-pages.js';
import type { FastifyInstance } from 'fastify';
import { SMALL_ANSWER } from '../store/answer-bounds.js';

type PageRoute = { Params: { id?: string } };

/** The form of ids in the API: `0x10` and `1.0` are not ids. */
function isApplication(id: string): boolean {
  const value = plainInteger(id) ?? 0;
  return value >= 1 && value <= Number.MAX_SAFE_INTEGER;
}

/** @param directory what the dashboard's build wrote. Throws where there is no index.html in it. */
export async function serveDashboard(app: FastifyInstance, directory: string): Promise<void> {
  const root = resolve(directory);
  if (!existsSync(join(root, 'index.html'))) {
    throw new Error(`DASHBOARD_DIR is ${directory}, which holds no index.html: build the dashboard first`);
  }
  const assets = join(root, 'assets/');
  await app.register(async (files) => {
    files.addHook('onRoute', (route) => {
      route.config = { ...route.config, bounds: SMALL_ANSWER };
    });
    await files.register(fastifyStatic, {
      root,
      wildcard: false,
      cacheControl: false,
      setHeaders: (reply, path) => {
        const immutable = path.startsWith(assets);
        reply.setHeader('cache-control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
    for (const page of DASHBOARD_PAGES) {
      // The index of the folder is a route already.
      if (files.hasRoute({ method: 'GET', url: page })) continue;
      files.get<PageRoute>(page, { schema: { hide: true } }, (request, reply) => {
        const { id } = request.params;
        return id === undefined || isApplication(id) ? reply.sendFile('index.html') : reply.callNotFound();
      });
    }
  });
}
