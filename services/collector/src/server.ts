/*
 * The HTTP side: POST /v1/request-logs. A request goes through in one chain: who is it, what form has the
 * body, is Kafka there, read, take in, wait for every batch, answer. 202 means that Kafka has every accepted
 * record of the request.
 */
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { HttpError, installErrorAnswers } from '@imscope/runtime/http-errors.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Tokens } from '@imscope/runtime/tokens.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import type { Batch } from './batch.js';
import type { ByteBudget } from './byte-budget.js';
import { type Intake, takeIn } from './intake.js';
import type { CollectorMetrics } from './metrics.js';
import { type BodyBounds, bodyForm, readBody } from './read-body.js';

export type ServerOptions = {
  readonly host: string;
  readonly port: number;
  readonly bodyBounds: BodyBounds;
  readonly lateMsMax: number;
  readonly authenticate: Tokens['authenticate'];
  readonly budget: ByteBudget;
  readonly append: (record: RequestLog) => Batch;
  readonly onRejected: (rejected: Intake['rejectedByApplication']) => void;
  /** Why Kafka counts as away; undefined while it is there. */
  readonly kafkaFailure: () => string | undefined;
  readonly metrics: CollectorMetrics;
  readonly logger: Logger;
};

export type CollectorServer = {
  readonly port: number;
  /** New requests get 503 and their connections are closed; waits for those that are in, at most this long. */
  stop(timeoutMs: number): Promise<void>;
};

/** What a waiting request takes beside its body: sockets, headers, promises. Bounds requests by number. */
const REQUEST_BYTES = 8 << 10;
/** Longest a client may take to send a request. */
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** Starts listening. `port` of the result is the one in force where 0 was asked for. */
export async function startServer(options: ServerOptions): Promise<CollectorServer> {
  const { metrics, logger } = options;
  const app = Fastify({
    return503OnClosing: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  });
  let stopping = false;
  installErrorAnswers(app, logger);
  app.addHook('onRequest', async () => {
    if (stopping) {
      throw new HttpError(
        'unavailable',
        'this collector is stopping: nothing of this request was taken, send it again',
        {
          retryAfterS: 1,
        },
      );
    }
  });
  app.addHook('onSend', async (_request, reply) => {
    if (stopping) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (_request, reply) => {
    metrics.requests.inc({ status: String(reply.statusCode) });
    metrics.requestSeconds.observe(reply.elapsedTime / 1000);
  });
  // Bodies are read by the handler, after it knows who sends and that there is room.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.post('/v1/request-logs', (request, reply) => takeRequest(request, reply, options));
  await app.listen({ host: options.host, port: options.port });
  const { port } = app.server.address() as AddressInfo;
  return {
    port,
    stop: async (timeoutMs) => {
      stopping = true;
      const timer = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
      await app.close();
      clearTimeout(timer);
    },
  };
}

async function takeRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  options: ServerOptions,
): Promise<FastifyReply> {
  const grant = options.authenticate(request.headers.authorization, 'write');
  const form = bodyForm(request.headers);
  refuseWithoutKafka(options.kafkaFailure());
  let bytesHeld = 0;
  const hold = (bytes: number): void => {
    options.budget.reserve(bytes);
    bytesHeld += bytes;
  };
  try {
    hold(REQUEST_BYTES);
    const { text, bytesReceived } = await readBody(request.raw, form.gzip, options.bodyBounds, hold);
    options.metrics.bytesReceived.inc(bytesReceived);
    // Again: reading may have taken long, and nothing of this request was tried yet.
    refuseWithoutKafka(options.kafkaFailure());
    const bounds = { nowMs: Date.now(), lateMsMax: options.lateMsMax };
    const intake = takeIn({ text, format: form.format }, grant, bounds, options.append);
    options.budget.release(bytesHeld - REQUEST_BYTES);
    bytesHeld = REQUEST_BYTES;
    count(intake, options.metrics);
    options.onRejected(intake.rejectedByApplication);
    await acknowledged(intake.batches);
    return await reply.code(202).send({
      accepted: intake.accepted,
      rejected: intake.rejected,
      rejected_count: sum(intake.rejectedByReason.values()),
      rejected_by_reason: Object.fromEntries(intake.rejectedByReason),
    });
  } finally {
    options.budget.release(bytesHeld);
  }
}

function refuseWithoutKafka(failure: string | undefined): void {
  if (failure === undefined) return;
  throw new HttpError(
    'unavailable',
    `Kafka does not answer (${failure}): nothing of this request was taken, send it again later`,
    // Spread, so that all senders do not come back in the same second.
    { retryAfterS: 2 + Math.floor(Math.random() * 4) },
  );
}

/**
 * Resolves once Kafka has every batch. Throws `HttpError`: unavailable where nothing was tried, so that sending
 * again is safe, and timeout where some records may be stored: a sender that repeats 503 must not repeat that.
 */
async function acknowledged(batches: ReadonlySet<Batch>): Promise<void> {
  const outcomes = await Promise.all(Array.from(batches, (batch) => batch.settled));
  if (outcomes.every((outcome) => outcome === 'acknowledged')) return;
  if (outcomes.every((outcome) => outcome === 'not_taken')) {
    throw new HttpError(
      'unavailable',
      'Kafka did not answer in time: nothing of this request was taken, send it again later',
      { retryAfterS: 5 },
    );
  }
  throw new HttpError(
    'timeout',
    'Kafka did not answer in time: some records of this request may have been stored, and sending it again may double them',
  );
}

function count(intake: Intake, metrics: CollectorMetrics): void {
  for (const [reason, records] of intake.rejectedByReason) metrics.recordsRejected.inc({ reason }, records);
  metrics.recordsReceived.inc(intake.accepted + sum(intake.rejectedByReason.values()));
  if (intake.fieldsDropped > 0) metrics.fieldsDropped.inc(intake.fieldsDropped);
  if (intake.piecesScrubbed > 0) metrics.piecesScrubbed.inc(intake.piecesScrubbed);
  if (intake.idsTaken > 0) metrics.interfaceIdsTaken.inc(intake.idsTaken);
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
