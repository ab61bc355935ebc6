/*
 * Logs what is refused, because many shippers check only the status of an answer: records by token or file and reason,
 * requests by token and code. A line has the name of a token, or the network of an unauthenticated client; of a record it
 * has the position and the name of a field, never a value. Sampled and bounded: see `SampledLog`.
 */
import { ERROR_STATUS, type ErrorCode } from '@imscope/runtime/http-errors.js';
import type { Logger } from '@imscope/runtime/logger.js';
import { maskIp } from './ip-text.js';
import { OTHERS, SampledLog } from './sampled-log.js';

/** The source of records: the name of a token, or a tailed file and the position where its batch began. */
export type RecordSource =
  { readonly sender: string; readonly format: string } | { readonly file: string; readonly fromByte: number };

/** The refused records of one source, by reason. */
export type RefusedRecords = {
  readonly rejectedByReason: ReadonlyMap<string, number>;
  /** The first record refused for each reason, and the field that caused the refusal, if one did. */
  readonly refusedExamples: ReadonlyMap<
    string,
    { readonly index: number; readonly field: string | undefined }
  >;
};

export type RefusedRequest = {
  readonly code: ErrorCode;
  /** The token's name; undefined without a valid token. */
  readonly sender: string | undefined;
  /** Undefined if unknown. */
  readonly client: string | undefined;
  readonly path: string;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
};

const FLUSH_MS = 10_000;
/** Of a header, or of a field's name. */
const SHOWN_LENGTH_MAX = 64;

type Refusal<Source> = { readonly source: Source; readonly reason: string; readonly example: object };

/** Codes about the sender, not about what is sent. */
const TOKEN_CODES: ReadonlySet<ErrorCode> = new Set(['missing_token', 'invalid_token', 'not_allowed']);
/** After these the sender sends the same request again. */
const RETRIED_STATUS: ReadonlySet<number> = new Set([408, 429, 503, 504]);

export function isTokenRefused(code: ErrorCode): boolean {
  return TOKEN_CODES.has(code);
}

export class RefusalLog {
  readonly #logger: Logger;
  readonly #scrub: (text: string) => string;
  readonly #records: SampledLog<Refusal<RecordSource>>;
  readonly #requests: SampledLog<Refusal<RefusedRequest>>;
  readonly #timer: NodeJS.Timeout;

  /** @param scrub replaces pieces about a person, and credentials */
  constructor(logger: Logger, scrub: (text: string) => string) {
    this.#logger = logger;
    this.#scrub = scrub;
    this.#records = new SampledLog((kind, times, refusal) => this.#writeRecords(kind, times, refusal));
    this.#requests = new SampledLog((kind, times, refusal) => this.#writeRequests(kind, times, refusal));
    this.#timer = setInterval(() => this.#flush(performance.now()), FLUSH_MS).unref();
  }

  /** Notes what was refused of one request, or of one batch of a tailed file. */
  recordsRefused(source: RecordSource, { rejectedByReason, refusedExamples }: RefusedRecords): void {
    if (rejectedByReason.size === 0) return;
    const nowMs = performance.now();
    const name = 'file' in source ? source.file : source.sender;
    for (const [reason, records] of rejectedByReason) {
      const { index, field } = refusedExamples.get(reason) ?? {};
      const example = { index, field: field === undefined ? undefined : this.#shown(field) };
      this.#records.note(`${reason} ${name}`, nowMs, records, { source, reason, example });
    }
  }

  /** Notes a request of which nothing was accepted. */
  requestRefused(request: RefusedRequest): void {
    const name = request.sender ?? networkOf(request.client);
    const example = {
      path: request.path,
      contentType: request.contentType === undefined ? undefined : this.#shown(request.contentType),
      contentEncoding:
        request.contentEncoding === undefined ? undefined : this.#shown(request.contentEncoding),
    };
    const { code } = request;
    this.#requests.note(`${code} ${name}`, performance.now(), 1, { source: request, reason: code, example });
  }

  /** Writes the counts that have no line yet. */
  stop(): void {
    clearInterval(this.#timer);
    this.#flush(Number.POSITIVE_INFINITY);
  }

  /** A name that the sender chose, scrubbed and without long numbers. */
  #shown(text: string): string {
    return this.#scrub(text.slice(0, SHOWN_LENGTH_MAX)).replaceAll(/\d{5,}/g, '<number>');
  }

  #flush(nowMs: number): void {
    this.#records.flush(nowMs);
    this.#requests.flush(nowMs);
  }

  #writeRecords(kind: string, records: number, refusal: Refusal<RecordSource> | undefined): void {
    if (refusal === undefined) return;
    const { source, reason, example } = refusal;
    if (kind === OTHERS) this.#logger.warn({ sender: OTHERS, records }, 'records are refused');
    else if ('file' in source) {
      const at = { ...example, fromByte: source.fromByte };
      this.#logger.warn(
        { file: source.file, reason, records, example: at },
        'lines of tailed files are refused',
      );
    } else {
      const { sender, format } = source;
      this.#logger.warn({ sender, format, reason, records, example }, 'records are refused');
    }
  }

  #writeRequests(kind: string, requests: number, refusal: Refusal<RefusedRequest> | undefined): void {
    if (refusal === undefined) return;
    const { source, reason, example } = refusal;
    const status = ERROR_STATUS[source.code];
    const from =
      source.sender === undefined ? { client: networkOf(source.client) } : { sender: source.sender };
    if (kind === OTHERS) this.#logger.warn({ client: OTHERS, requests }, 'requests are refused');
    else if (TOKEN_CODES.has(source.code)) {
      this.#logger.info({ ...from, status, reason, requests, example }, 'requests refused for their token');
    } else {
      const level = RETRIED_STATUS.has(status) ? 'info' : 'warn';
      this.#logger[level]({ ...from, status, reason, requests, example }, 'requests are refused');
    }
  }
}

function networkOf(client: string | undefined): string {
  return client === undefined ? 'unknown' : maskIp(client);
}
