/*
 * The error answer of every HTTP service: {"error":{"code":"stable_code","message":"…"}}. Codes are a closed list.
 * Messages say what was received, what is allowed and what to do. Internal errors are logged and not sent to the
 * client. A service whose protocol has another form of errors passes that form to `setErrorAnswers`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from './logger.js';
import { RouteMethods } from './route-methods.js';

/** Stable codes and their HTTP status. */
export const ERROR_STATUS = {
  malformed_request: 400,
  unreadable_body: 400,
  invalid_parameter: 400,
  unknown_parameter: 400,
  personal_filter_in_url: 400,
  prefix_filter_not_allowed: 400,
  invalid_network_id: 400,
  expired_network_id: 400,
  empty_body: 400,
  missing_token: 401,
  invalid_token: 401,
  not_allowed: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  already_exists: 409,
  wrong_state: 409,
  no_database: 409,
  precondition_failed: 412,
  body_too_large: 413,
  unsupported_media_type: 415,
  unsupported_encoding: 415,
  expectation_failed: 417,
  query_too_large: 422,
  provider_too_small: 422,
  precondition_required: 428,
  too_many_requests: 429,
  headers_too_large: 431,
  internal_error: 500,
  unavailable: 503,
  timeout: 504,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/**
 * The default of `Retry-After`. 504 has none: its request may have been handled, so the code that throws it decides.
 */
const RETRY_AFTER_S: Readonly<Partial<Record<ErrorCode, number>>> = { unavailable: 1, too_many_requests: 1 };

export type HttpErrorOptions = {
  readonly cause?: unknown;
  readonly retryAfterS?: number;
  /** For method_not_allowed: the methods of the route. */
  readonly allow?: readonly string[];
};

/** An error for bad input or an unavailable dependency. A handler throws it, the error handler answers it. */
export class HttpError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterS: number | undefined;
  readonly allow: readonly string[] | undefined;

  constructor(code: ErrorCode, message: string, options: HttpErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryAfterS = options.retryAfterS ?? RETRY_AFTER_S[code];
    this.allow = options.allow;
  }
}

/** Our codes for Fastify's errors. */
const FASTIFY_ERRORS: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'empty_body',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'unreadable_body',
  FST_ERR_VALIDATION: 'invalid_parameter',
};

/** Answers errors that Fastify finds before any handler, as `frameworkErrors` of an app. The connection is closed. */
export function answerFrameworkError(
  _error: Error,
  request: FastifyRequest,
  reply: FastifyReply,
  code: ErrorCode = 'malformed_request',
): void {
  const message = 'the address cannot be read: give a path in percent-encoding, without a stray %';
  void sendError(request, reply.header('connection', 'close'), new HttpError(code, message));
}

/** The body of an error answer. */
export function errorBody(code: ErrorCode, message: string): { error: { code: ErrorCode; message: string } } {
  return { error: { code, message } };
}

const ADDRESS = /^(?:\/|https?:\/\/)/i;

/**
 * Installs the error answers of an app, with 404 for unknown paths, and 405 with `Allow` for unknown methods of a
 * path. Both are sent before a body is read. Call it before any route is added.
 */
export function installErrorAnswers(app: FastifyInstance, logger: Logger): void {
  const routes = new RouteMethods();
  app.addHook('onRoute', ({ url, method }) => routes.add(url, [method].flat()));
  app.addHook('onRequest', async (request) => {
    // The router treats `*` and URLs of other schemes as `/`.
    if (request.is404 || !ADDRESS.test(request.url)) throw noSuchRoute(request, routes);
  });
  app.setNotFoundHandler(async (request) => {
    throw noSuchRoute(request, routes);
  });
  setErrorAnswers(app, logger, sendError);
}

function noSuchRoute({ method, url }: FastifyRequest, routes: RouteMethods): HttpError {
  const path = pathOf(url);
  const allow = routes.allowedAt(path);
  if (allow.length === 0 || allow.includes(method)) {
    return new HttpError('not_found', `no such address: ${method} ${path}`);
  }
  const message = `${path} does not answer ${method}: send ${allow.join(' or ')}`;
  return new HttpError('method_not_allowed', message, { allow });
}

/** Sends an error; `retry-after` and `allow` are already set. */
export type SendError = (request: FastifyRequest, reply: FastifyReply, error: HttpError) => FastifyReply;

/** Answers errors of the handlers of `app`, which may be a Fastify plugin, with `send`. */
export function setErrorAnswers(app: FastifyInstance, logger: Logger, send: SendError): void {
  app.setErrorHandler(async (error: Error & { code?: string; statusCode?: number }, request, reply) => {
    const answer = asHttpError(error);
    if (answer.code === 'internal_error') {
      logger.error({ err: error, method: request.method, path: pathOf(request.url) }, 'request failed');
    }
    if (answer.retryAfterS !== undefined) reply.header('retry-after', String(answer.retryAfterS));
    if (answer.allow !== undefined) reply.header('allow', answer.allow.join(', '));
    return send(request, reply, answer);
  });
}

function asHttpError(error: Error & { code?: string; statusCode?: number }): HttpError {
  if (error instanceof HttpError) return error;
  const known = FASTIFY_ERRORS[error.code ?? ''];
  if (known !== undefined) return new HttpError(known, error.message, { cause: error });
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new HttpError('unreadable_body', error.message, { cause: error });
  }
  return new HttpError(
    'internal_error',
    'something failed on our side: try again, then look at this service’s log',
    {
      cause: error,
    },
  );
}

function sendError(_request: FastifyRequest, reply: FastifyReply, error: HttpError): FastifyReply {
  return reply.code(ERROR_STATUS[error.code]).send(errorBody(error.code, error.message));
}

/** Without the query, which may hold credentials, and without the host of an absolute URL. */
function pathOf(url: string): string {
  return (url.split(/[?#]/, 1)[0] ?? '').replace(/^https?:\/\/[^/]*/i, '');
}
