/*
 * One request, in one chain: who is it, is it within its limit, what form has the body, is there room, read, wait
 * for its turn, take in, wait for every batch, answer. An answer of success means that every accepted record of the
 * request is durable and counted; 429 and 503 that nothing of it was taken. Addresses differ in the forms of bodies
 * that they take, and in how they tell what came of them.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Grant } from '@imscope/access/grant.js';
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';
import type { AuthenticateRequest } from './authenticate-request.js';
import type { Batch } from '../batches/batch.js';
import type { ByteBudget } from '../limits/byte-budget.js';
import type { RefusalLog } from '../clients/refusal-log.js';
import { CODINGS_ACCEPTED } from '../bodies/content-coding.js';
import { acceptBody } from '../bodies/accept-body.js';
import { type Intake, received } from '../intake/intake.js';
import type { RequestLimits } from '../limits/application-limits.js';
import { type Limits, rateLimitFields } from '../limits/limits.js';
import type { Admission } from '../limits/sender-limits.js';
import { countIntake, type IntakeMetrics } from '../intake/intake-metrics.js';
import type { RequestMetrics } from './request-metrics.js';
import {
  type BodyBounds,
  type BodyForm,
  bodyForm,
  type BodyFormat,
  type BodyFormats,
  readBody,
} from '../bodies/read-body.js';
import type { SpoolSpace } from '../spool/spool-space.js';
import type { IntakeWatch } from '../intake/intake-watch.js';

export type TakeOptions = {
  readonly bodyBounds: BodyBounds;
  readonly lateMsMax: number;
  readonly authenticate: AuthenticateRequest;
  readonly limits: Limits;
  readonly budget: ByteBudget;
  readonly space: SpoolSpace;
  /** Why no request can be taken; undefined while they can. */
  readonly failure: () => string | undefined;
  /** Where the records of one request go; apart from all others where it carries a key. */
  readonly intoBatches: (sender: string, key: string | undefined) => RequestBatches;
  /** False while it is not known yet which keyed requests were taken before this start. */
  readonly keysKnown: () => boolean;
  /** What shows this sender's records to whoever looks; undefined while nobody does. */
  readonly watch: (sender: string) => IntakeWatch | undefined;
  readonly onRejected: (rejected: Intake['rejectedByApplication']) => void;
  readonly refusals: Pick<RefusalLog, 'recordsRefused'>;
  readonly metrics: RequestMetrics & IntakeMetrics;
};

export type RequestBatches = {
  /** Takes one valid record; the request waits for the batch returned. */
  readonly append: (record: NewRequestLog) => Batch;
  /** Counts one request without logging it. */
  readonly countOnly: (record: NewRequestLog) => Batch;
  /** Nothing more comes of this request. */
  readonly finish: () => void;
};

/** An address that records are sent to. */
export type Endpoint = {
  readonly formats: BodyFormats;
  /** Answers where all accepted records are durable. */
  readonly answer: (reply: FastifyReply, intake: Intake, format: BodyFormat) => FastifyReply;
};

/** What a waiting request takes beside its body: sockets, headers, promises. Bounds requests by number. */
const REQUEST_BYTES = 8 << 10;

export async function takeRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  endpoint: Endpoint,
  options: TakeOptions,
): Promise<FastifyReply> {
  const { limits, metrics } = options;
  const grant = options.authenticate(request, 'write');
  const form = formOf(request, reply, endpoint);
  const key = idempotencyKey(request.headers['idempotency-key'], options.keysKnown());
  refuseIfFailing(options.failure());
  const admission = admit(request, reply, grant, limits);
  const room = takeRoom(grant.name, options);
  try {
    room.reserve(REQUEST_BYTES);
    const { body, bytesReceived } = await readBody(
      request.raw,
      form.coding,
      options.bodyBounds,
      room.reserve,
    );
    metrics.bytesReceived.inc(bytesReceived);
    const intake = await limits.queue.run(grant.name, body.length, () => {
      // Again: reading and waiting may have taken long, and nothing of this request was tried yet.
      refuseIfFailing(options.failure());
      const applications = limits.applications.forRequest(performance.now());
      const from = { grant, key, applications, reserve: room.reserve };
      const taken = takeBody({ bytes: body, format: form.format }, from, options);
      admission.settle(received(taken), bytesReceived);
      tellHeadroom(reply, grant, limits, applications);
      refuseIfAllOver(taken, applications, limits);
      return taken;
    });
    room.forgetBody();
    await durable(intake.batches, key);
    return await endpoint.answer(reply, intake, form.format);
  } catch (error) {
    // What was refused for our own sake does not count against the sender.
    if (error instanceof HttpError && error.code === 'unavailable') admission.refund();
    throw error;
  } finally {
    room.leave();
  }
}

/** Throws as `bodyForm`; the answer to a coding that is not supported names those that are. */
function formOf({ headers }: FastifyRequest, reply: FastifyReply, { formats }: Endpoint): BodyForm {
  try {
    return bodyForm(headers, formats);
  } catch (error) {
    const isCoding = error instanceof HttpError && error.code === 'unsupported_encoding';
    if (isCoding) reply.header('accept-encoding', CODINGS_ACCEPTED);
    throw error;
  }
}

/** Before the body is read. Throws `HttpError` too_many_requests. */
function admit(request: FastifyRequest, reply: FastifyReply, grant: Grant, limits: Limits): Admission {
  const declared = request.headers['content-length'];
  const bodyBytes = declared === undefined ? undefined : Number(declared);
  const nowMs = performance.now();
  let limit: 'application' | 'token' = 'application';
  try {
    // Whose records they are is known beforehand where the token speaks for one application only.
    const [only, another] = grant.applications === 'all' ? [] : grant.applications;
    if (only !== undefined && another === undefined) limits.applications.refuseIfOver(only, nowMs);
    limit = 'token';
    return limits.senders.enter(grant, bodyBytes, nowMs);
  } catch (error) {
    limits.refused(limit);
    tellHeadroom(reply, grant, limits);
    throw error;
  }
}

type Room = {
  /** @throws HttpError unavailable where memory, the sender's share of it or the spool has no room */
  reserve(bytes: number): void;
  /** The body is parsed: its memory is free. Its share and its place in the spool stay until the answer. */
  forgetBody(): void;
  leave(): void;
};

function takeRoom(sender: string, { limits, budget, space }: TakeOptions): Room {
  const share = limits.memoryShares.begin(sender);
  let budgetBytes = 0;
  let spoolBytes = 0;
  return {
    reserve: (bytes) => {
      try {
        share.reserve(bytes);
      } catch (error) {
        limits.refused('share');
        throw error;
      }
      budget.reserve(bytes);
      budgetBytes += bytes;
      // Packed Avro takes less than the JSON it came from, headers of containers and entries included.
      space.reserve(bytes);
      spoolBytes += bytes;
    },
    forgetBody: () => {
      budget.release(budgetBytes - REQUEST_BYTES);
      budgetBytes = REQUEST_BYTES;
    },
    leave: () => {
      budget.release(budgetBytes);
      space.release(spoolBytes);
      share.release();
    },
  };
}

/** Everything that happens to a body in one go. */
function takeBody(
  body: { readonly bytes: Buffer; readonly format: BodyForm['format'] },
  from: {
    readonly grant: Grant;
    readonly key: string | undefined;
    readonly applications: RequestLimits;
    readonly reserve: (bytes: number) => void;
  },
  { intoBatches, bodyBounds, lateMsMax, metrics, limits, watch, onRejected, refusals }: TakeOptions,
): Intake {
  const { grant, key, applications, reserve } = from;
  const batches = intoBatches(grant.name, key);
  const bounds = { inflatedBytesMax: bodyBounds.inflatedBytesMax, reserve };
  const intake = acceptBody(body, bounds, {
    grant,
    limits: applications,
    nowMs: Date.now(),
    lateMsMax,
    allOrNothing: key !== undefined,
    append: batches.append,
    countOnly: batches.countOnly,
    watch: watch(grant.name),
  });
  batches.finish();
  countIntake(intake, metrics);
  limits.sampledOut(applications.sampledOut);
  onRejected(intake.rejectedByApplication);
  refusals.recordsRefused({ sender: grant.name, format: body.format }, intake);
  return intake;
}

/** Where nothing was taken because of the limits, the request as a whole may come again later. */
function refuseIfAllOver(intake: Intake, applications: RequestLimits, limits: Limits): void {
  const over = intake.rejectedByReason.get('rate_limited') ?? 0;
  if (intake.accepted > 0 || over === 0) return;
  limits.refused('application');
  const first = intake.rejected.find(({ reason }) => reason === 'rate_limited');
  throw new HttpError(
    'too_many_requests',
    `nothing of this request was taken, ${over} records are over the limits of their applications (${first?.detail ?? 'see the other records'}): send it again after Retry-After`,
    { retryAfterS: applications.retryAfterS },
  );
}

function tellHeadroom(reply: FastifyReply, grant: Grant, limits: Limits, applications?: RequestLimits): void {
  const sender = limits.senders.headroom(grant, performance.now());
  reply.headers(rateLimitFields(sender, applications?.tightest));
}

const KEY = /^[\x21-\x7e]{1,255}$/;

function idempotencyKey(header: string | string[] | undefined, keysKnown: boolean): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !KEY.test(header)) {
    throw new HttpError(
      'invalid_parameter',
      'Idempotency-Key is not 1 to 255 visible ASCII characters: give each request one of its own, such as a UUID',
    );
  }
  if (keysKnown) return header;
  throw new HttpError(
    'unavailable',
    'this collector has just started and still reads which keyed requests it took before: send it again',
    { retryAfterS: 1 },
  );
}

function refuseIfFailing(failure: string | undefined): void {
  if (failure === undefined) return;
  throw new HttpError(
    'unavailable',
    `${failure}: nothing of this request was taken, send it again later`,
    // Spread, so that all senders do not come back in the same second.
    { retryAfterS: 2 + Math.floor(Math.random() * 4) },
  );
}

/**
 * Resolves once every batch is durable. Throws `HttpError`: unavailable where nothing was taken, so that sending
 * again is safe, and timeout where some records may be stored: a sender that repeats 503 must not repeat that
 * without an `Idempotency-Key`.
 */
export async function durable(
  batches: ReadonlySet<Pick<Batch, 'settled'>>,
  key: string | undefined,
): Promise<void> {
  const outcomes = await Promise.all(Array.from(batches, (batch) => batch.settled));
  if (outcomes.every((outcome) => outcome === 'durable')) return;
  if (outcomes.every((outcome) => outcome === 'not_taken')) {
    throw new HttpError(
      'unavailable',
      'the spool could not be written: nothing of this request was taken, send it again later',
      { retryAfterS: 5 },
    );
  }
  throw new HttpError(
    'timeout',
    'neither Kafka nor the disk answered in time: some records of this request may be stored; sending it again doubles them unless both carry the same Idempotency-Key',
    // Without a key there is nothing that makes sending again safe, so no time to do it is given.
    key === undefined ? {} : { retryAfterS: 5 },
  );
}
