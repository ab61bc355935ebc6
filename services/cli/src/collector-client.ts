/*
 * Owns one request to the collector until it is known what became of its records. It carries an `Idempotency-Key`,
 * so it is sent again with backoff, for a bounded time, until there is an answer: what was taken the first time
 * counts once.
 */
import { randomUUID } from 'node:crypto';
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';
import pRetry from 'p-retry';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { Agent, request } from 'undici';
import { answerErrorMessage, failureCode, isNeverSent, parseJson, retryAfterMs } from './http-answer.js';

export type NamedRejection = {
  /** Place of the record in the body, from 0. */
  readonly index: number;
  readonly reason: string;
  readonly detail: string;
};

/**
 * `taken`: answered; the collector names the first hundred records it refused and counts all by reason.
 * `in_doubt`: may have been taken, and no answer came in time. `not_sent`: certainly not taken; sending more is of
 * no use.
 */
export type Delivery =
  | {
      readonly kind: 'taken';
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
  /** How long a request is tried. A collector remembers its key for an hour. */
  readonly retryForMs: number;
  readonly backoffMsMin: number;
  /** Called before each wait, to tell people. */
  readonly onRetry: (why: string) => void;
};

export type CollectorClient = {
  /** @param body NDJSON of `records` lines. An aborted signal ends the retrying, never a request on its way. */
  deliver(body: string, records: number, stopping: AbortSignal): Promise<Delivery>;
  close(): Promise<void>;
};

const CONNECT_TIMEOUT_MS = 5_000;
/** The collector tries a batch for 60 s at most, and then answers. */
const ANSWER_TIMEOUT_MS = 90_000;
const BACKOFF_MS_MAX = 5_000;
const ANSWER_BYTES_MAX = 1 << 20;

const TakenAnswer = Type.Object({
  accepted: Type.Integer({ minimum: 0 }),
  rejected_by_reason: Type.Record(Type.String(), Type.Integer({ minimum: 1 })),
  rejected: Type.Array(
    Type.Object({ index: Type.Integer({ minimum: 0 }), reason: Type.String(), detail: Type.String() }),
  ),
});

/** To be sent again: nothing of this attempt was taken, or nobody knows. */
class Unanswered extends Error {
  readonly retryAfterMs: number;
  readonly inDoubt: boolean;

  constructor(
    message: string,
    of: { readonly inDoubt: boolean; readonly waitMs: number; readonly cause?: unknown },
  ) {
    super(message, { cause: of.cause });
    this.retryAfterMs = of.waitMs;
    this.inDoubt = of.inDoubt;
  }
}

/** Connects with the first delivery. */
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
      // Once an attempt is in doubt, only an answer to a later one settles it.
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
  return judge(answer, sent.records, url);
}

function judge(
  { status, retryAfter, text }: { status: number; retryAfter: string | string[] | undefined; text: string },
  records: number,
  url: URL,
): Delivery {
  const message = answerErrorMessage(status, text);
  switch (status) {
    case 202:
      return readTaken(text, records);
    case 429:
    case 503:
      throw new Unanswered(`the collector at ${url.origin} asks to wait: ${message}`, {
        inDoubt: false,
        waitMs: retryAfterMs(retryAfter, Date.now()),
      });
    case 500:
    case 502:
    case 504:
      // The collector tried to store the records and does not know how that ended.
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

function readTaken(text: string, records: number): Delivery {
  const parsed = parseJson(text);
  if (Value.Check(TakenAnswer, parsed)) {
    const { accepted, rejected } = parsed;
    const rejectedByReason = new Map(Object.entries(parsed.rejected_by_reason));
    const counted = [...rejectedByReason.values()].reduce((total, count) => total + count, accepted);
    if (counted === records && rejected.every(({ index }) => index < records)) {
      return { kind: 'taken', accepted, rejected, rejectedByReason };
    }
  }
  return {
    kind: 'in_doubt',
    why: 'the collector took the request, but its answer does not account for every record',
  };
}
