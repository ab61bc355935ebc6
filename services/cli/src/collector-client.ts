/*
 * Delivers one request to the collector, with retries and backoff for a bounded time, until the result of its records
 * is known. The request carries an `Idempotency-Key`, so records accepted by an earlier attempt count once.
 */
import { randomUUID } from 'node:crypto';
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';
import pRetry from 'p-retry';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { Agent, request } from 'undici';
import {
  answerErrorMessage,
  failureCode,
  isNeverSent,
  parseJson,
  retryAfterMs,
} from './command/http-answer.js';

export type NamedRejection = {
  /** Position of the record in the body, from 0. */
  readonly index: number;
  readonly reason: string;
  readonly detail: string;
};

/**
 * - `accepted`: the collector answered 202. It lists the first hundred rejected records and counts all by reason.
 * - `in_doubt`: the records may have been accepted, but no answer came in time.
 * - `not_sent`: the records were not accepted, and further requests would fail the same way.
 */
export type Delivery =
  | {
      readonly kind: 'accepted';
      readonly accepted: number;
      readonly rejected: readonly NamedRejection[];
      readonly rejectedByReason: ReadonlyMap<string, number>;
    }
  | { readonly kind: 'in_doubt' | 'not_sent'; readonly why: string };

export type CollectorClientOptions = {
  /** The collector's base URL. */
  readonly url: URL;
  readonly token: string;
  readonly connectionsMax: number;
  /** Longest duration of all attempts of a request. A collector remembers its key for an hour. */
  readonly retryForMs: number;
  readonly backoffMsMin: number;
  /** Called before each wait, to report it. */
  readonly onRetry: (why: string) => void;
};

export type CollectorClient = {
  /** @param body NDJSON of `records` lines @param stopping ends the retries, but never a request that was sent */
  deliver(body: string, records: number, stopping: AbortSignal): Promise<Delivery>;
  close(): Promise<void>;
};

const CONNECT_TIMEOUT_MS = 5_000;
/** The collector tries to store a batch for at most 60 s, and then answers. */
const ANSWER_TIMEOUT_MS = 90_000;
const BACKOFF_MS_MAX = 5_000;
const ANSWER_BYTES_MAX = 1 << 20;

const AcceptedAnswer = Type.Object({
  accepted: Type.Integer({ minimum: 0 }),
  rejected_by_reason: Type.Record(Type.String(), Type.Integer({ minimum: 1 })),
  rejected: Type.Array(
    Type.Object({ index: Type.Integer({ minimum: 0 }), reason: Type.String(), detail: Type.String() }),
  ),
});

/** A failed attempt that is retried: its records were not accepted, or their result is unknown. */
class Unanswered extends Error {
  readonly retryAfterMs: number;
  readonly inDoubt: boolean;

  constructor(
    message: string,
    options: { readonly inDoubt: boolean; readonly waitMs: number; readonly cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.retryAfterMs = options.waitMs;
    this.inDoubt = options.inDoubt;
  }
}

/** The first delivery opens the connection. */
export function openCollector(options: CollectorClientOptions): CollectorClient {
  const agent = new Agent({
    connections: options.connectionsMax,
    pipelining: 1,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
    maxResponseSize: ANSWER_BYTES_MAX,
  });
  return {
    deliver: async (body, records, stopping) => {
      const key = randomUUID();
      // After an attempt in doubt, only the answer to a later attempt decides the result.
      let doubt: string | undefined;
      try {
        const delivery = await pRetry(() => attempt(agent, options, { key, body, records }), {
          retries: Number.POSITIVE_INFINITY,
          maxRetryTime: options.retryForMs,
          minTimeout: options.backoffMsMin,
          maxTimeout: BACKOFF_MS_MAX,
          randomize: true,
          shouldRetry: ({ error }) => error instanceof Unanswered && !stopping.aborted,
          onFailedAttempt: async ({ error }) => {
            if (!(error instanceof Unanswered)) return;
            if (error.inDoubt) doubt = error.message;
            if (stopping.aborted) return;
            options.onRetry(error.message);
            await waitUnlessStopping(error.retryAfterMs, stopping);
          },
        });
        return delivery.kind === 'not_sent' && doubt !== undefined
          ? { kind: 'in_doubt', why: doubt }
          : delivery;
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        return doubt === undefined
          ? { kind: 'not_sent', why: error.message }
          : { kind: 'in_doubt', why: doubt };
      }
    },
    close: async () => agent.close(),
  };
}

async function attempt(
  agent: Agent,
  options: CollectorClientOptions,
  sent: { readonly key: string; readonly body: string; readonly records: number },
): Promise<Delivery> {
  const { url, token } = options;
  let answer: { status: number; retryAfter: string | string[] | undefined; text: string };
  try {
    const {
      statusCode,
      headers,
      body: answered,
    } = await request(new URL('v1/request-logs', url), {
      dispatcher: agent,
      method: 'POST',
      headers: {
        'content-type': 'application/x-ndjson',
        authorization: `Bearer ${token}`,
        'idempotency-key': sent.key,
      },
      body: sent.body,
    });
    answer = { status: statusCode, retryAfter: headers['retry-after'], text: await answered.text() };
  } catch (error) {
    if (isNeverSent(error)) {
      throw new Unanswered(
        `cannot reach the collector at ${url.origin} (${failureCode(error)}): is it running? ./scripts/start runs a local one, --collector names another`,
        { inDoubt: false, waitMs: 0, cause: error },
      );
    }
    const why = `the connection was lost after the body was sent (${failureCode(error)})`;
    throw new Unanswered(why, { inDoubt: true, waitMs: 0, cause: error });
  }
  return classifyAnswer(answer, sent.records, url);
}

function classifyAnswer(
  { status, retryAfter, text }: { status: number; retryAfter: string | string[] | undefined; text: string },
  records: number,
  url: URL,
): Delivery {
  const message = answerErrorMessage(status, text);
  switch (status) {
    case 202:
      return parseAccepted(text, records);
    case 429:
    case 503:
      throw new Unanswered(`the collector at ${url.origin} asks to wait: ${message}`, {
        inDoubt: false,
        waitMs: retryAfterMs(retryAfter, Date.now()),
      });
    case 500:
    case 502:
    case 504:
      // The collector tried to store the records and does not know the result.
      throw new Unanswered(message, { inDoubt: true, waitMs: 0 });
    case 401:
    case 403:
      return {
        kind: 'not_sent',
        why: `the collector refuses the token: ${message}; give one with scope write in IMSCOPE_WRITE_TOKEN or --token-file`,
      };
    case 404:
      return {
        kind: 'not_sent',
        why: `no collector answers at ${url.origin} (${message}): check --collector`,
      };
    case 413:
      return { kind: 'not_sent', why: `${message}; give a smaller --batch` };
    default:
      return { kind: 'not_sent', why: `the collector refuses the request: ${message}` };
  }
}

function parseAccepted(text: string, records: number): Delivery {
  const parsed = parseJson(text);
  if (Value.Check(AcceptedAnswer, parsed)) {
    const { accepted, rejected } = parsed;
    const rejectedByReason = new Map(Object.entries(parsed.rejected_by_reason));
    const counted = [...rejectedByReason.values()].reduce((total, count) => total + count, accepted);
    if (counted === records && rejected.every(({ index }) => index < records)) {
      return { kind: 'accepted', accepted, rejected, rejectedByReason };
    }
  }
  return {
    kind: 'in_doubt',
    why: 'the collector accepted the request, but its answer does not account for every record',
  };
}
