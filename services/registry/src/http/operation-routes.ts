/*
 * One route for each operation of the contract, and the one order in which every request is answered: who calls; may they
 * reach the application that the path names; do parameters and body have their form; which revision do they change; then
 * the operation itself.
 */
import type { Readable } from 'node:stream';
import type { Grant } from '@imscope/access/grant.js';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Logger } from '@imscope/runtime/logger.js';
import { type ErrorStatus, errorAnswers } from '@imscope/schemas/query-api/error-answers.js';
import type { OperationContract } from '@imscope/schemas/registry-api/operation-contract.js';
import { type OperationName, OPERATIONS } from '@imscope/schemas/registry-api/operations.js';
import type {
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
  FastifySchema,
} from 'fastify';
import { Type } from 'typebox';
import { IMPORT_BYTES_MAX } from '../applications/import/import-applications.js';
import type { Handlers, OperationCall } from '../operations/operation-call.js';
import { requireAdministered } from '../operations/require-administered.js';
import { answerOfDependency } from './dependency-error.js';
import { entityTagOf, readIfMatch } from './entity-tag.js';
import { tagOf } from './openapi.js';
import { ADMIN_SECURITY } from './security.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller's grant; null for a request without authentication. */
    grant: Grant | null;
  }
}

export type OperationRouteOptions = {
  readonly handlers: Handlers;
  readonly authenticate: (request: FastifyRequest) => Promise<Grant>;
  readonly logger: Logger;
  readonly now: () => number;
};

/** What an import that breaks off has done. */
const ROWS_BEFORE =
  'rows before may have been created: send all again, those that exist are left as they are';
const TEXT_TYPES = ['text/csv', 'application/x-ndjson'];
const IfMatchHeader = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'the ETag of the application as the caller read it, such as "7"' }),
  ),
});

export const operationRoutes: FastifyPluginAsync<OperationRouteOptions> = async (app, options) => {
  app.addHook('onRequest', async (request) => {
    try {
      request.grant = await options.authenticate(request);
    } catch (error) {
      throw answerOfDependency(error);
    }
  });
  app.addHook('preValidation', async (request) => {
    const id: unknown = Object(request.params)['sdk_app_id'];
    if (request.grant !== null && typeof id === 'number') requireAdministered(request.grant, id);
  });
  for (const name of OPERATION_NAMES) {
    if (OPERATIONS[name].body !== 'text') addRoute(app, name, options);
  }
  // Bodies of text are not read before the handler. Elsewhere their types are refused.
  await app.register(async (texts) => {
    texts.removeAllContentTypeParsers();
    texts.addContentTypeParser(TEXT_TYPES, (_request, payload, done) => done(null, payload));
    for (const name of OPERATION_NAMES) {
      if (OPERATIONS[name].body === 'text') addRoute(texts, name, options);
    }
  });
};

const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];

/** What a handler is given, before its operation is known. */
type AnyCall = { readonly [P in keyof OperationCall<OperationName>]: unknown };

function addRoute(
  app: FastifyInstance,
  name: OperationName,
  { handlers, logger, now }: OperationRouteOptions,
): void {
  const contract: OperationContract = OPERATIONS[name];
  // The route's schemas are those of the contract, which are the types of the call.
  const handle = handlers[name] as (call: AnyCall) => Promise<object>;
  app.route({
    method: contract.method,
    url: contract.path,
    schema: describeOperation(contract),
    ...(contract.body === 'text' ? { bodyLimit: IMPORT_BYTES_MAX } : {}),
    handler: async (request, reply) => {
      const { grant, params, query } = request;
      if (grant === null) throw new Error('a request came through without authentication');
      const call: AnyCall = {
        params,
        query,
        body: bodyOf(contract, request),
        ifMatch: contract.ifMatch ? readIfMatch(request.headers['if-match']) : undefined,
        caller: grant,
        nowMs: now(),
        signal: request.signal,
      };
      try {
        const answer = await handle(call);
        const tag = entityTagOf(answer);
        if (tag !== undefined) reply.header('etag', tag);
        if (contract.body === 'text') discardRest(request, reply);
        return await reply.code(contract.status).send(answer);
      } catch (error) {
        if (contract.body === 'text') discardRest(request, reply);
        const answer = answerOfDependency(error, contract.body === 'text' ? ROWS_BEFORE : undefined);
        if (answer !== error) logger.warn({ err: error, operation: name }, 'a system did not answer');
        throw answer;
      }
    },
  });
}

/** A body that was refused early is not read further for its own sake, only so that the caller gets the answer. */
function discardRest({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.readableEnded) return;
  reply.header('connection', 'close');
  raw.resume();
}

/** A body of text that was not sent is one without rows. */
function bodyOf({ body }: OperationContract, request: FastifyRequest): unknown {
  if (body !== 'text') return request.body;
  const stream = request.body as Readable | undefined;
  if (stream === undefined) {
    throw new HttpError('empty_body', `there is no body: send ${TEXT_TYPES.join(' or ')}`);
  }
  return { contentType: request.headers['content-type'] ?? '', stream };
}

function describeOperation(contract: OperationContract): FastifySchema {
  const { operationId, summary, path, params, query, body, ifMatch, status, answer, method } = contract;
  const isChange = method !== 'GET';
  const statuses: ErrorStatus[] = [
    401,
    403,
    429,
    503,
    ...(path.includes(':') ? ([404] as const) : []),
    ...(isChange ? ([409] as const) : []),
    ...(ifMatch ? ([412, 428] as const) : []),
    ...(body === null ? [] : ([413, 415] as const)),
  ];
  return {
    operationId,
    summary,
    tags: [tagOf(path)],
    security: ADMIN_SECURITY,
    params,
    querystring: query,
    ...(ifMatch ? { headers: IfMatchHeader } : {}),
    ...bodySchema(body),
    response: { [status]: { ...answer, description: summary }, ...errorAnswers(...statuses) },
  };
}

function bodySchema(body: OperationContract['body']) {
  if (body === null) return {};
  if (body !== 'text') return { body };
  const schema = Type.Unsafe({ description: 'CSV with a header, or an application a line as JSON' });
  return { body: { content: Object.fromEntries(TEXT_TYPES.map((type) => [type, { schema }])) } };
}
