/* The route behind signed links to objects of a folder. A bucket's links lead to its own service. */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import type { FolderObjects } from './folder-objects.js';
import { SIGNED_OBJECTS_PATH } from './signed-link.js';

const Query = Type.Object(
  {
    expires: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    signature: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  },
  { additionalProperties: false },
);

/** Needs no token: whoever has the link can read the object until it ends. */
export function addSignedObjectRoute(
  app: FastifyInstance,
  objects: Pick<FolderObjects, 'isSigned' | 'getStream'>,
  now: () => number,
): void {
  app.get<{ Params: { '*': string }; Querystring: Static<typeof Query> }>(
    `${SIGNED_OBJECTS_PATH}*`,
    { schema: { querystring: Query, hide: true } },
    async (request, reply) => {
      const { expires, signature } = request.query;
      const key = request.params['*'];
      if (!objects.isSigned(key, { expiresMs: expires, signature }, now())) {
        throw new HttpError(
          'not_allowed',
          'the link has ended or was changed: list the exports again for a fresh one',
        );
      }
      const stream = await objects.getStream(key);
      if (stream === undefined) throw new HttpError('not_found', 'the object has been deleted');
      return reply
        .header('content-type', 'application/octet-stream')
        .header('content-disposition', `attachment; filename="${key.split('/').at(-1) ?? ''}"`)
        .header('cache-control', 'no-store')
        .send(stream);
    },
  );
}
