/*
 * `/v1/registry/…` is answered by the registry. The query service passes requests on as they are, with cookie and
 * authorization, so that the dashboard needs one origin; the registry authenticates them itself. Bodies and answers are
 * streamed. Nothing is tried twice: a change whose answer was lost may have been made.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { pipeline, type Readable, Transform } from 'node:stream';
import httpProxy from '@fastify/http-proxy';
import { requireSameOrigin } from '@imscope/access/same-origin.js';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SMALL_ANSWER } from '../store/answer-bounds.js';

const PREFIX = '/v1/registry';
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
/** The largest body is an import; beyond it callers get 413. */
const BODY_BYTES_MAX = 32 << 20;
/** Longest silence of the registry, of its head or within its answer; then callers get 504, or a cut answer. */
const SILENCE_MS_MAX = 60_000;
const CONNECT_MS_MAX = 2_000;
/** Requests at a time; at the bound further ones wait for a connection. */
const CONNECTIONS_MAX = 32;
/** Headers between two hops (RFC 9110, 7.6.1), and those of a proxy before us, which only we state to the registry. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'forwarded',
  'keep-alive',
  // `requireSameOrigin` has compared it with the host that the caller addressed, which the registry does not see.
  'origin',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

/** @param registryUrl empty: every address below `/v1/registry/` is not found */
export async function passOnToRegistry(app: FastifyInstance, registryUrl: string): Promise<void> {
  await app.register(async (scope) => {
    // These routes are described by the registry's own document.
    scope.addHook('onRoute', (route) => {
      route.schema = { hide: true };
    });
    if (registryUrl === '') {
      scope.route({
        method: [...METHODS],
        url: `${PREFIX}/*`,
        config: { bounds: SMALL_ANSWER },
        handler: noRegistry,
      });
      return;
    }
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, body, done) => done(null, bounded(body)));
    scope.addHook('onRequest', async (request) => {
      requireBodyWithinBound(Number(request.headers['content-length'] ?? 0));
      if (request.method !== 'GET' && request.method !== 'HEAD') requireSameOrigin(request);
    });
    await scope.register(httpProxy, {
      upstream: new URL(registryUrl).origin,
      prefix: PREFIX,
      rewritePrefix: PREFIX,
      routes: ['/*'],
      httpMethods: [...METHODS],
      config: { bounds: SMALL_ANSWER },
      proxyPayloads: false,
      disableRequestLogging: true,
      undici: {
        connections: CONNECTIONS_MAX,
        headersTimeout: SILENCE_MS_MAX,
        bodyTimeout: SILENCE_MS_MAX,
        // The plugin's default accepts any certificate.
        connect: { timeout: CONNECT_MS_MAX, rejectUnauthorized: true },
      },
      destroyAgent: true,
      replyOptions: {
        retryDelay: () => null,
        rewriteRequestHeaders: headersToPassOn,
        onError: (reply, { error }) => void reply.send(answerOf(error)),
      },
    });
  });
}

async function noRegistry(): Promise<never> {
  throw new HttpError(
    'not_found',
    'this query service has no registry: set REGISTRY_URL to its address, such as http://127.0.0.1:8090',
  );
}

function headersToPassOn(
  request: Pick<FastifyRequest, 'ip'>,
  headers: IncomingHttpHeaders,
): IncomingHttpHeaders {
  const passed = Object.entries(headers).filter(([name]) => !NOT_PASSED_ON.has(name));
  return { ...Object.fromEntries(passed), 'x-forwarded-for': request.ip };
}

function requireBodyWithinBound(bytes: number): void {
  if (bytes <= BODY_BYTES_MAX) return;
  throw new HttpError(
    'body_too_large',
    `the body has more than ${BODY_BYTES_MAX} bytes, which is allowed: send it in parts`,
  );
}

/** A body without a stated length is counted while it passes. */
function bounded(body: IncomingMessage): Readable {
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      try {
        requireBodyWithinBound(bytes);
        done(null, chunk);
      } catch (error) {
        done(error instanceof Error ? error : new Error('body refused', { cause: error }));
      }
    },
  });
  // The proxy handles an error of `counted`.
  return pipeline(body, counted, () => undefined);
}

/** What a caller is told where the registry gave no answer. */
function answerOf(error: Error): HttpError {
  const { cause } = error;
  if (cause instanceof HttpError) return cause;
  if (cause instanceof Error && 'code' in cause && cause.code === 'UND_ERR_HEADERS_TIMEOUT') {
    return new HttpError(
      'timeout',
      `the registry has not answered for ${SILENCE_MS_MAX / 1000} s: read what is in force before trying again`,
      { cause },
    );
  }
  return new HttpError(
    'unavailable',
    'the registry is away: nothing can be read from it or changed; figures are not affected',
    { cause: error },
  );
}
