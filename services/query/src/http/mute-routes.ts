/*
 * Muting and unmuting groups of failures, and the list of mutes. A caller may mute groups of applications it may read; a
 * mute for all applications wants a token of all. A browser's session may change something only from our own pages.
 */
import type { Authentication } from '@imscope/access/authentication.js';
import type { Applications } from '@imscope/access/applications.js';
import type { Grant } from '@imscope/access/grant.js';
import { requireSameOrigin } from '@imscope/access/same-origin.js';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Logger } from '@imscope/runtime/logger.js';
import { describeParameterFault } from '@imscope/runtime/parameter-error.js';
import { errorAnswers } from '@imscope/schemas/query-api/error-answers.js';
import { GROUP_ID_PATTERN, Mute } from '@imscope/schemas/query-api/exceptions.js';
import { MUTE_DAYS_MAX, Mutes, NewMute } from '@imscope/schemas/query-api/mutes.js';
import { ApplicationPath } from '@imscope/schemas/query-api/parameters.js';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { SECURITY } from '../access/security.js';
import { readScope, requireReadable } from '../figures/subject.js';
import { DAY_MS, HOUR_MS } from '../figures/time-window.js';
import { ALL_APPLICATIONS, listChanges } from '../state/audit.js';
import { listMutes, muteGroup, unmuteGroup } from '../state/mutes.js';
import type { QueryDatabase } from '../state/open-state.js';
import { type AnswerBounds, MIB } from '../store/answer-bounds.js';

export type MuteRouteOptions = {
  /** undefined: none is set. */
  readonly database: QueryDatabase | undefined;
  readonly authentication: Authentication;
  readonly terminated: Applications['terminated'];
  readonly logger: Logger;
  readonly now: () => number;
};

const MUTES_LISTED_MAX = 1_000;
const CHANGES_LISTED_MAX = 200;
/** 1,000 mutes and 200 changes with names and reasons of the largest size. */
const BOUNDS: AnswerBounds = { pointsMax: 0, rowsMax: 0, bytes: 2 * MIB, bytesPerPoint: 0, memoryPerByte: 2 };

const GROUP = {
  group: Type.String({ pattern: GROUP_ID_PATTERN, description: 'the id of a group of exceptions' }),
};
const PLACES = [
  {
    path: '/v1/applications/:sdk_app_id/exceptions/:group/mute',
    params: Type.Object({ ...ApplicationPath.properties, ...GROUP }),
    whose: 'an application',
    suffix: '',
  },
  {
    path: '/v1/fleet/exceptions/:group/mute',
    params: Type.Object(GROUP),
    whose: 'all applications',
    suffix: 'Everywhere',
  },
] as const;

const LIST = {
  operationId: 'listExceptionMutes',
  summary: 'Mutes of groups of failures that are in force, and who changed them',
  tags: ['applications'],
  security: SECURITY.reader,
  response: { 200: Mutes, ...errorAnswers(401, 403, 409, 503) },
};

export const muteRoutes: FastifyPluginAsyncTypebox<MuteRouteOptions> = async (app, options) => {
  const { authentication, now } = options;
  app.addHook('onRequest', async (request) => {
    request.grant = authentication.grantOf(request, now());
    if (request.method !== 'GET' && request.method !== 'HEAD') requireSameOrigin(request);
  });
  const shared = { schemaErrorFormatter: describeParameterFault, config: { bounds: BOUNDS } };

  app.get('/v1/exception-mutes', { ...shared, schema: LIST }, async (request) => {
    const scope = readScope(grantOf(request), options.terminated());
    return withDatabase(options, async (database) => ({
      mutes: await listMutes(database, scope, now(), MUTES_LISTED_MAX),
      changes: await listChanges(database.kysely, scope, CHANGES_LISTED_MAX),
    }));
  });

  for (const { path, params, whose, suffix } of PLACES) {
    const common = { tags: ['applications'], security: SECURITY.reader, params };
    const mute = {
      ...common,
      operationId: `muteExceptionGroup${suffix}`,
      summary: `Mutes a group of failures of ${whose} until it ends; replaces the mute there is`,
      body: NewMute,
      response: { 200: Mute, ...errorAnswers(400, 401, 403, 409, 413, 415, 503) },
    };
    app.post(path, { ...shared, schema: mute }, async (request) => {
      const grant = grantOf(request);
      const sdkAppId = requireMutable(grant, request.params, options);
      const nowMs = now();
      const { reason } = request.body;
      const untilMs = nowMs + durationOf(request.body.for);
      const { group: groupId } = request.params;
      const made = { sdkAppId, groupId, actor: grant.name, reason, untilMs };
      return withDatabase(options, (database) => muteGroup(database, made, nowMs));
    });
    const unmute = {
      ...common,
      operationId: `unmuteExceptionGroup${suffix}`,
      summary: `Ends the mute of a group of failures of ${whose}`,
      response: { 204: Type.Null({ description: 'ended' }), ...errorAnswers(401, 403, 404, 409, 503) },
    };
    app.delete(path, { ...shared, schema: unmute }, async (request, reply) => {
      const grant = grantOf(request);
      const sdkAppId = requireMutable(grant, request.params, options);
      const key = { sdkAppId, groupId: request.params.group, actor: grant.name };
      const isEnded = await withDatabase(options, (database) => unmuteGroup(database, key, now()));
      if (isEnded) return reply.code(204).send(null);
      throw new HttpError(
        'not_found',
        `group ${key.groupId} is not muted for ${whose}: see /v1/exception-mutes`,
      );
    });
  }
};

function grantOf({ grant }: FastifyRequest): Grant {
  if (grant === null) throw new Error('a request came through without authentication');
  return grant;
}

/** Throws `HttpError`: no_database, what the work throws, or unavailable where the database does not answer. */
async function withDatabase<T>(
  { database, logger }: MuteRouteOptions,
  work: (database: QueryDatabase) => Promise<T>,
): Promise<T> {
  if (database === undefined) {
    throw new HttpError(
      'no_database',
      'this query service has no database to keep mutes in: set its DATABASE_URL, such as that of the registry',
    );
  }
  try {
    return await work(database);
  } catch (error) {
    if (error instanceof HttpError) throw error;
    logger.warn({ err: error }, 'the database did not answer');
    const message = 'the database of mutes does not answer: see /v1/exception-mutes before you try again';
    throw new HttpError('unavailable', message, { cause: error });
  }
}

/** The application to mute for; 0: all. Throws `HttpError` not_allowed. */
function requireMutable(
  grant: Grant,
  params: { readonly sdk_app_id?: number; readonly group: string },
  { terminated }: Pick<MuteRouteOptions, 'terminated'>,
): number {
  const { sdk_app_id: sdkAppId } = params;
  if (sdkAppId !== undefined) {
    requireReadable(grant, sdkAppId, terminated());
    return sdkAppId;
  }
  if (grant.applications === 'all') return ALL_APPLICATIONS;
  throw new HttpError(
    'not_allowed',
    `"${grant.name}" may not mute for all applications: mute for one, or ask for a token of all`,
  );
}

/** @returns milliseconds. Throws `HttpError` invalid_parameter beyond the longest. */
function durationOf(text: string): number {
  const durationMs = Number.parseInt(text, 10) * (text.endsWith('d') ? DAY_MS : HOUR_MS);
  if (durationMs <= MUTE_DAYS_MAX * DAY_MS) return durationMs;
  throw new HttpError('invalid_parameter', `for is "${text}": give ${MUTE_DAYS_MAX}d at most`);
}
