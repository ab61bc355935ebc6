/*
 * The OpenAPI document, generated from the schemas of the routes, so that it cannot drift from them.
 */
import { SESSION_COOKIE } from '@imscope/access/session-seal.js';
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';

/** Register before any route. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'imscope registry API',
        description:
          'The configuration of applications: details, settings that collectors and query services obey, configuration ' +
          'of the service, secrets, lifecycle. Each change makes a new revision, and is in the audit with its reason. Times are UTC.',
        version: '1',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'this service' }],
      tags: [
        { name: 'applications', description: 'Applications, their versions and secrets' },
        { name: 'lifecycle', description: 'Suspension, termination and purge' },
        { name: 'tokens', description: 'Tokens of gateways, readers and administrators' },
        { name: 'exchange', description: 'Imports and exports' },
        { name: 'audit', description: 'Who changed what and why' },
        { name: 'description', description: 'This description' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'a token of scope admin' },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: SESSION_COOKIE,
            description: 'a session of the dashboard, of a token of scope admin',
          },
        },
      },
    },
  });
}

/** The tag of an operation, by its path. */
export function tagOf(path: string): string {
  if (/\/(suspend|resume|terminate|restore)$|\/(notices|purges)\b/.test(path)) return 'lifecycle';
  if (/\/registry\/tokens/.test(path)) return 'tokens';
  if (/\/registry\/(imports|exports)/.test(path)) return 'exchange';
  return path.endsWith('/audit') ? 'audit' : 'applications';
}
