/*
 * One request, step by step: token, body format, limit of the sender, capacity, body, slot in the queue, records into
 * batches, wait for every batch, answer. A successful answer means that every accepted record is durable and counted;
 * 429 and 503 mean that none was accepted. Endpoints differ in their body formats and in the form of their answers.
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

export type AcceptOptions = {
  readonly bodyBounds: BodyBounds;
  readonly lateMsMax: number;
  readonly authenticate: AuthenticateRequest;
  readonly limits: Limits;
  readonly budget: ByteBudget;
  readonly space: SpoolSpace;
  /** Why no request can be accepted at the moment; undefined while they can. */
  readonly failure: () => string | undefined;
  /** Where the records of one request go; not into batches with other requests where it carries a key. */
  readonly intoBatches: (sender: string, key: string | undefined) => RequestBatches;
  /** False until it is known which requests with a key were accepted before this start. */
  readonly keysKnown: () => boolean;
  /** Shows this sender's records to live viewers; undefined while there are none. */
  readonly watch: (sender: string) => IntakeWatch | undefined;
  readonly onRejected: (rejected: Intake['rejectedByApplication']) => void;
  readonly refusals: Pick<RefusalLog, 'recordsRefused'>;
  readonly metrics: RequestMetrics & IntakeMetrics;
};

export type RequestBatches = {
  /** Appends one valid record; the request waits for the batch returned. */
  readonly append: (record: NewRequestLog) => Batch;
  /** Counts one request without logging it. */
  readonly countOnly: (record: NewRequestLog) => Batch;
  /** No more records of this request follow. */
  readonly finish: () => void;
};

/** An address that gateways send records to. */
export type Endpoint = {
  readonly formats: BodyFormats;
  /** Called once all accepted records are durable. */
  readonly answer: (reply: FastifyReply, intake: Intake, format: BodyFormat) => FastifyReply;
};

/** Memory of a waiting request beside its body: sockets, headers, promises. It bounds the number of requests. */
const REQUEST_BYTES = 8 << 10;

export async function acceptRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  endpoint: Endpoint,
  options: AcceptOptions,
): Promise<FastifyReply> {
  const { limits, metrics } = options;
  const grant = options.authenticate(request, 'write');
  const form = formOf(request, reply, endpoint);
  const key = idempotencyKey(request.headers['idempotency-key'], options.keysKnown());
  refuseIfFailing(options.failure());
  const admission = admit(request, reply, grant, limits);
  const reservation = reserveCapacity(grant.name, options);
  try {
    reservation.add(REQUEST_BYTES);
    const { body, bytesReceived } = await readBody(
      request.raw,
      form.coding,
      options.bodyBounds,
      reservation.add,
    );
    metrics.bytesReceived.inc(bytesReceived);
    const intake = await limits.queue.run(grant.name, body.length, () => {
      // Checked again: reading and waiting may have lasted long, and no record of this request was tried yet.
      refuseIfFailing(options.failure());
      const applications = limits.applications.forRequest(performance.now());
      const source = { grant, key, applications, reserve: reservation.add };
      const accepted = acceptRecords({ bytes: body, format: form.format }, source, options);
      admission.settle(received(accepted), bytesReceived);
      addRateLimitFields(reply, grant, limits, applications);
      refuseIfAllOver(accepted, applications, limits);
      return accepted;
    });
    reservation.releaseBody();
    await durable(intake.batches, key);
    return await endpoint.answer(reply, intake, form.format);
  } catch (error) {
    // A request refused for lack of capacity does not count against the sender's limit.
    if (error instanceof HttpError && error.code === 'unavailable') admission.refund();
    throw error;
  } finally {
    reservation.release();
  }
}

/** @throws HttpError as `bodyForm`; an answer to a coding that is not supported names those that are */
function formOf({ headers }: FastifyRequest, reply: FastifyReply, { formats }: Endpoint): BodyForm {
  try {
    return bodyForm(headers, formats);
  } catch (error) {
    const isCoding = error instanceof HttpError && error.code === 'unsupported_encoding';
    if (isCoding) reply.header('accept-encoding', CODINGS_ACCEPTED);
    throw error;
  }
}

/** Before the body is read. @throws HttpError too_many_requests */
function admit(request: FastifyRequest, reply: FastifyReply, grant: Grant, limits: Limits): Admission {
  const declared = request.headers['content-length'];
  const bodyBytes = declared === undefined ? undefined : Number(declared);
  const nowMs = performance.now();
  let limit: 'application' | 'token' = 'application';
  try {
    // A token for one application only tells beforehand which application the records are for.
    const [only, another] = grant.applications === 'all' ? [] : grant.applications;
    if (only !== undefined && another === undefined) limits.applications.refuseIfOver(only, nowMs);
    limit = 'token';
    return limits.senders.enter(grant, bodyBytes, nowMs);
  } catch (error) {
    limits.refused(limit);
    addRateLimitFields(reply, grant, limits);
    throw error;
  }
}

/** What one request reserves of the memory, of its sender's quota share of it, and of the spool. */
type Reservation = {
  /** @throws HttpError unavailable where memory, quota share or spool have too little capacity */
  add(bytes: number): void;
  /** The body is parsed: its memory is free. Quota share and spool stay reserved until the answer. */
  releaseBody(): void;
  release(): void;
};

function reserveCapacity(sender: string, { limits, budget, space }: AcceptOptions): Reservation {
  const share = limits.memoryShares.begin(sender);
  let budgetBytes = 0;
  let spoolBytes = 0;
  return {
    add: (bytes) => {
      try {
        share.reserve(bytes);
      } catch (error) {
        limits.refused('share');
        throw error;
      }
      budget.reserve(bytes);
      budgetBytes += bytes;
      // Compressed Avro is smaller than the JSON it was made from, headers of containers and entries included.
      space.reserve(bytes);
      spoolBytes += bytes;
    },
    releaseBody: () => {
      budget.release(budgetBytes - REQUEST_BYTES);
      budgetBytes = REQUEST_BYTES;
    },
    release: () => {
      budget.release(budgetBytes);
      space.release(spoolBytes);
      share.release();
    },
  };
}

/** Runs without waiting: the body's records are parsed, checked and appended to batches. */
function acceptRecords(
  body: { readonly bytes: Buffer; readonly format: BodyForm['format'] },
  source: {
    readonly grant: Grant;
    readonly key: string | undefined;
    readonly applications: RequestLimits;
    readonly reserve: (bytes: number) => void;
  },
  { intoBatches, bodyBounds, lateMsMax, metrics, limits, watch, onRejected, refusals }: AcceptOptions,
): Intake {
  const { grant, key, applications, reserve } = source;
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

/** Where limits refused every good record, the request is refused, so that the sender retries it. */
function refuseIfAllOver(intake: Intake, applications: RequestLimits, limits: Limits): void {
  const over = intake.rejectedByReason.get('rate_limited') ?? 0;
  if (intake.accepted > 0 || over === 0) return;
  limits.refused('application');
  const first = intake.rejected.find(({ reason }) => reason === 'rate_limited');
  throw new HttpError(
    'too_many_requests',
    `nothing of this request was accepted, ${over} records are over the limits of their applications (${first?.detail ?? 'see the other records'}): send it again after Retry-After`,
    { retryAfterS: applications.retryAfterS },
  );
}

function addRateLimitFields(
  reply: FastifyReply,
  grant: Grant,
  limits: Limits,
  applications?: RequestLimits,
): void {
  const sender = limits.senders.headroom(grant, performance.now());
  reply.headers(rateLimitFields(sender, applications?.tightest));
}

const KEY = /^[\x21-\x7e]{1,255}$/;

function idempotencyKey(header: string | string[] | undefined, keysKnown: boolean): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !KEY.test(header)) {
    throw new HttpError(
      'invalid_parameter',
      'Idempotency-Key is not 1 to 255 visible ASCII characters: give each request a different one, such as a UUID',
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
    `${failure}: nothing of this request was accepted, send it again later`,
    // Random, so that senders do not all retry in the same second.
    { retryAfterS: 2 + Math.floor(Math.random() * 4) },
  );
}

/**
 * Resolves once every batch is durable.
 * @throws HttpError unavailable where no record was accepted, so that a retry is safe; timeout where some records may
 * be stored: without an `Idempotency-Key` a retry could count them twice
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
      'the spool could not be written: nothing of this request was accepted, send it again later',
      { retryAfterS: 5 },
    );
  }
  throw new HttpError(
    'timeout',
    'neither Kafka nor the disk answered in time: some records of this request may be stored; sending it again doubles them unless both carry the same Idempotency-Key',
    // Without a key a retry is not safe, so the answer names no time for one.
    key === undefined ? {} : { retryAfterS: 5 },
  );
}
