/*
 * Owns one delivery: sends a batch to the collector until its outcome is known. A batch that was certainly not accepted
 * (connection refused, 429, 503) is sent again with backoff, for at most `giveUpAfterMs`. A batch that may have been
 * accepted (connection lost, no answer, in doubt) is not sent again, because that could double records.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip, constants } from 'node:zlib';
import pRetry from 'p-retry';
import { failureCode, isNeverSent, parseJson, retryAfterMs } from '@imscope/cli/command/http-answer.js';
import { Pool } from 'undici';
import type { Batch } from './record-writer.js';

const gzipBody = promisify(gzip);

export interface RejectedRecord {
  /** Place in the body. */
  readonly index: number;
  readonly reason: string;
}

/**
 * `accepted`: answered 202. `refused`: answered with an error that sending again would not change. `ambiguous`: may
 * have been accepted. `unsent`: certainly not accepted, and given up.
 */
export type Delivery =
  | { readonly kind: 'accepted'; readonly rejected: readonly RejectedRecord[] }
  | { readonly kind: 'refused' | 'ambiguous' | 'unsent'; readonly reason: string };

export interface CollectorClientOptions {
  /** Origin of the collector, such as http://127.0.0.1:8088. */
  readonly url: string;
  readonly token?: string;
  readonly connections: number;
  readonly gzip?: boolean;
  /** How long one batch is sent again while it is certain that it was not accepted. */
  readonly giveUpAfterMs: number;
}

export interface CollectorClient {
  /** Resolves when the batch's outcome is known. An aborted signal ends retries, but not a request in flight. */
  deliver(batch: Batch, stopping: AbortSignal): Promise<Delivery>;
  close(): Promise<void>;
}

const PATH = '/v1/request-logs';
const ANSWER_TIMEOUT_MS = 90_000;
const CONNECT_TIMEOUT_MS = 5_000;
const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 2_000;
/** No record of the batch was accepted: it may be sent again. */
class NotTaken extends Error {
  constructor(
    readonly reason: string,
    readonly retryAfterMs: number,
  ) {
    super(reason);
  }
}

/** Opens a pool of keep-alive connections; connects at the first delivery. */
export function openCollector(options: CollectorClientOptions): CollectorClient {
  const pool = new Pool(new URL(options.url).origin, {
    connections: options.connections,
    pipelining: 1,
    connectTimeout: CONNECT_TIMEOUT_MS,
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
  });
  return {
    deliver: async (batch, stopping) => {
      const headers = requestHeaders(batch, options);
      const body =
        options.gzip === true ? await gzipBody(batch.body, { level: constants.Z_BEST_SPEED }) : batch.body;
      try {
        return await pRetry(() => attempt(pool, headers, body, batch.count), {
          retries: Number.POSITIVE_INFINITY,
          maxRetryTime: options.giveUpAfterMs,
          minTimeout: BACKOFF_MS_MIN,
          maxTimeout: BACKOFF_MS_MAX,
          randomize: true,
          shouldRetry: ({ error }) => error instanceof NotTaken && !stopping.aborted,
          onFailedAttempt: async ({ error }) => {
            if (error instanceof NotTaken) await waitUnlessStopping(error.retryAfterMs, stopping);
          },
        });
      } catch (error) {
        if (error instanceof NotTaken) return { kind: 'unsent', reason: error.reason };
        throw error;
      }
    },
    close: async () => {
      await pool.close();
    },
  };
}

function requestHeaders(batch: Batch, options: CollectorClientOptions): Record<string, string> {
  return {
    'content-type': batch.format === 'json' ? 'application/json' : 'application/x-ndjson',
    ...(options.gzip === true ? { 'content-encoding': 'gzip' } : {}),
    ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
  };
}

async function attempt(
  pool: Pool,
  headers: Record<string, string>,
  body: Buffer,
  recordsSent: number,
): Promise<Delivery> {
  let status: number;
  let retryAfter: string | string[] | undefined;
  let text: string;
  try {
    const answer = await pool.request({ method: 'POST', path: PATH, headers, body });
    status = answer.statusCode;
    retryAfter = answer.headers['retry-after'];
    text = await answer.body.text();
  } catch (error) {
    const code = failureCode(error);
    if (isNeverSent(error)) throw new NotTaken(code, 0);
    return { kind: 'ambiguous', reason: code };
  }
  if (status === 202) return readAccepted(text, recordsSent);
  const reason = `http_${status}_${errorCodeOfAnswer(text)}`;
  // The collector tried to store it and does not know how that ended.
  if (status === 500 || status === 502 || status === 504) {
    return { kind: 'ambiguous', reason };
  }
  if (status === 429 || status === 503) throw new NotTaken(reason, retryAfterMs(retryAfter, Date.now()));
  return { kind: 'refused', reason };
}

function readAccepted(text: string, recordsSent: number): Delivery {
  const answer = asObject(parseJson(text));
  const accepted = answer['accepted'];
  const listed = answer['rejected'];
  const rejected = (Array.isArray(listed) ? listed : []).map((entry: unknown) => {
    const { index, reason } = asObject(entry);
    return {
      index: typeof index === 'number' ? index : -1,
      reason: typeof reason === 'string' ? reason : 'unnamed',
    };
  });
  // The collector names only the first hundred refused records; with more it is unknown which were accepted.
  if (accepted !== recordsSent - rejected.length || rejected.some(({ index }) => index < 0)) {
    return { kind: 'ambiguous', reason: 'answer_does_not_name_every_record' };
  }
  return { kind: 'accepted', rejected };
}

function errorCodeOfAnswer(text: string): string {
  const { code } = asObject(asObject(parseJson(text))['error']);
  return typeof code === 'string' ? code.slice(0, 64) : 'without_code';
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

async function waitUnlessStopping(waitMs: number, stopping: AbortSignal): Promise<void> {
  if (waitMs === 0 || stopping.aborted) return;
  try {
    await delay(waitMs, undefined, { signal: stopping });
  } catch (error) {
    if (!stopping.aborted) throw error;
  }
}
