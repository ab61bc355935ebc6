/*
 * The memory budget of all answers. Before a handler runs, the bytes that its route declares are reserved; the service
 * does not start with a route without declared bounds. Once the answer is built only its own bytes stay reserved, until
 * it is sent or its connection is closed. The connection of a caller that does not read is closed after a time.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { type AnswerBounds, bytesOf, memoryOf } from './answer-bounds.js';
import { Admission, type Lease } from './admission.js';
import type { RefusalMetrics } from './refusal-metrics.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    bounds?: AnswerBounds;
  }
}

export type AnswerBudgetOptions = {
  readonly memoryBytesMax: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
  /** Longest time to send an answer; then its connection is closed. */
  readonly sendMsMax: number;
  readonly metrics: RefusalMetrics;
};

export type AnswerBudget = {
  /** Makes every route of an app reserve before it answers. Install before any route. */
  install(app: FastifyInstance): void;
  /** How many points an answer has; the default is 0. */
  setPoints(request: FastifyRequest, points: number): void;
  /** What the store may give to a request. */
  bytesFor(request: FastifyRequest): number;
  reservedBytes(): number;
  waiting(): number;
};

/** While an answer is sent: the compressor, and the buffers between it and the socket. */
const SENDING_BYTES = 1 << 20;

/** The fraction of the budget that one caller may hold. */
const half = (max: number): number => Math.ceil(max / 2);

export function createAnswerBudget(options: AnswerBudgetOptions): AnswerBudget {
  const { memoryBytesMax, waitingMax, waitMsMax, sendMsMax, metrics } = options;
  const admission = new Admission(
    {
      capacity: memoryBytesMax,
      callerMax: half(memoryBytesMax),
      waitingMax,
      callerWaitingMax: half(waitingMax),
      waitMsMax,
    },
    (reason, waiting) => {
      metrics.refused.inc({ reason: reason === 'wait' ? 'answers_wait' : 'answers_full' });
      const what = {
        full: `${waiting} requests wait for memory, and no more may`,
        caller_full: `${waiting} of your requests wait for memory, and no more of one caller may`,
        wait: `there was no memory for this answer for ${waitMsMax} ms`,
      };
      return new HttpError('unavailable', `${what[reason]}: ask again in a moment`, { retryAfterS: 1 });
    },
  );
  const pointsOf = new WeakMap<FastifyRequest, number>();
  const leases = new WeakMap<FastifyRequest, Lease>();

  /** The last step before the handler. */
  const reserve = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { bounds } = request.routeOptions.config;
    if (bounds === undefined || leases.has(request)) return;
    const cost = memoryOf(bounds, pointsOf.get(request) ?? 0);
    const lease = await admission.enter(cost, request.grant?.name ?? request.ip, request.signal);
    leases.set(request, lease);
    reply.raw.once('close', () => lease.release());
    if (reply.raw.closed || request.signal.aborted) lease.release();
  };

  const beforeSending = async (
    request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
  ): Promise<unknown> => {
    const { bounds } = request.routeOptions.config;
    const lease = leases.get(request);
    if (bounds === undefined || lease === undefined) return payload;
    const bytes = typeof payload === 'string' ? Buffer.byteLength(payload) : 0;
    const bytesMax = bytesOf(bounds, pointsOf.get(request) ?? 0);
    if (bytes > bytesMax && reply.statusCode < 400) throw answerTooLarge(bytes, bytesMax, metrics);
    // The text itself, and the copy that is on its way.
    lease.shrinkTo(2 * bytes + SENDING_BYTES);
    cutOffAfter(request, reply, sendMsMax, metrics);
    return payload;
  };

  return {
    install(app) {
      const routes: RouteOptions[] = [];
      app.addHook('onRoute', (route) => {
        addReservation(route, reserve);
        routes.push(route);
      });
      app.addHook('onReady', async () => requireBounds(routes, memoryBytesMax));
      app.addHook('onSend', beforeSending);
    },
    setPoints: (request, points) => void pointsOf.set(request, points),
    bytesFor: (request) => {
      const { bounds } = request.routeOptions.config;
      return bounds === undefined ? 0 : bytesOf(bounds, pointsOf.get(request) ?? 0);
    },
    reservedBytes: () => admission.held,
    waiting: () => admission.waiting,
  };
}

/** Throws where a route declares no bounds, or bounds larger than the budget. */
function requireBounds(routes: readonly RouteOptions[], memoryBytesMax: number): void {
  for (const { url, config } of routes) {
    const { bounds } = config ?? {};
    if (bounds === undefined) {
      throw new Error(
        `${url} declares no bounds of its answers: add it as a question, or give config.bounds`,
      );
    }
    const bytes = memoryOf(bounds, bounds.pointsMax);
    if (bytes > memoryBytesMax) {
      throw new Error(
        `${url} may need ${bytes} bytes for an answer, ANSWER_MEMORY_BYTES_MAX is ${memoryBytesMax}: give more`,
      );
    }
  }
}

type Reserve = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** After the route's own steps, which refuse what is not allowed. */
function addReservation(route: RouteOptions, reserve: Reserve): void {
  const own = route.preHandler === undefined ? [] : [route.preHandler].flat();
  if (!own.includes(reserve)) route.preHandler = [...own, reserve];
}

function answerTooLarge(bytes: number, bytesMax: number, metrics: RefusalMetrics): HttpError {
  metrics.refused.inc({ reason: 'too_large' });
  return new HttpError(
    'query_too_large',
    `the answer has ${bytes} bytes, ${bytesMax} are allowed: ask for a shorter span, a longer step or a smaller page, or add filters`,
  );
}

function cutOffAfter(
  request: FastifyRequest,
  reply: FastifyReply,
  sendMsMax: number,
  metrics: RefusalMetrics,
): void {
  const timer = setTimeout(() => {
    metrics.refused.inc({ reason: 'answer_unread' });
    request.raw.socket.destroy();
  }, sendMsMax);
  reply.raw.once('close', () => clearTimeout(timer));
}
