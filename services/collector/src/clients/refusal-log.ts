/*
 * Tells an operator what is refused, for shippers that look at the status of an answer only: records by token or file
 * and reason, whole requests by token and code. A token is named, never shown; an unknown sender is a network, not an
 * address. Of a record there is its place and the name of a field, never a value. Sampled and bounded: see `SampledLog`.
 */
import { ERROR_STATUS, type ErrorCode } from '@imscope/runtime/http-errors.js';
import type { Logger } from '@imscope/runtime/logger.js';
import { maskIp } from './ip-text.js';
import { OTHERS, SampledLog } from './sampled-log.js';

/** Where records came from: the name of a token, or a tailed file with the place where its batch began. */
export type RecordSource =
  { readonly sender: string; readonly format: string } | { readonly file: string; readonly fromByte: number };

/** Records of one source that were refused, by reason. */
export type RefusedRecords = {
  readonly rejectedByReason: ReadonlyMap<string, number>;
  /** The first record refused for each reason, and the field at fault where it is one. */
  readonly refusedExamples: ReadonlyMap<
    string,
    { readonly index: number; readonly field: string | undefined }
  >;
};

export type RefusedRequest = {
  readonly code: ErrorCode;
  /** The token's name; undefined where there was no valid token. */
  readonly sender: string | undefined;
  /** Undefined where it is not known. */
  readonly client: string | undefined;
  readonly path: string;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
};

const FLUSH_MS = 10_000;
/** Of a header or a field's name. */
const SHOWN_LENGTH_MAX = 64;

type Refused<Of> = { readonly of: Of; readonly reason: string; readonly example: object };

/** Refused because of who sends, not of what is sent. */
const TOKEN_CODES: ReadonlySet<ErrorCode> = new Set(['missing_token', 'invalid_token', 'not_allowed']);
/** The sender is to send the same again. */
const RETRIED_STATUS: ReadonlySet<number> = new Set([408, 429, 503, 504]);

export function isTokenRefused(code: ErrorCode): boolean {
  return TOKEN_CODES.has(code);
}

export class RefusalLog {
  readonly #logger: Logger;
  readonly #scrub: (text: string) => string;
  readonly #records: SampledLog<Refused<RecordSource>>;
  readonly #requests: SampledLog<Refused<RefusedRequest>>;
  readonly #timer: NodeJS.Timeout;

  /** @param scrub the text without pieces about a person and credentials */
  constructor(logger: Logger, scrub: (text: string) => string) {
    this.#logger = logger;
    this.#scrub = scrub;
    this.#records = new SampledLog((kind, times, refused) => this.#writeRecords(kind, times, refused));
    this.#requests = new SampledLog((kind, times, refused) => this.#writeRequests(kind, times, refused));
    this.#timer = setInterval(() => this.#flush(performance.now()), FLUSH_MS).unref();
  }

  /** Notes what was refused of one request, or of one batch of a tailed file. */
  recordsRefused(of: RecordSource, { rejectedByReason, refusedExamples }: RefusedRecords): void {
    if (rejectedByReason.size === 0) return;
    const nowMs = performance.now();
    const name = 'file' in of ? of.file : of.sender;
    for (const [reason, records] of rejectedByReason) {
      const { index, field } = refusedExamples.get(reason) ?? {};
      const example = { index, field: field === undefined ? undefined : this.#shown(field) };
      this.#records.note(`${reason} ${name}`, nowMs, records, { of, reason, example });
    }
  }

  /** Notes a request of which nothing was accepted. */
  requestRefused(of: RefusedRequest): void {
    const name = of.sender ?? networkOf(of.client);
    const example = {
      path: of.path,
      contentType: of.contentType === undefined ? undefined : this.#shown(of.contentType),
      contentEncoding: of.contentEncoding === undefined ? undefined : this.#shown(of.contentEncoding),
    };
    this.#requests.note(`${of.code} ${name}`, performance.now(), 1, { of, reason: of.code, example });
  }

  /** Writes what was counted and has no line yet. */
  stop(): void {
    clearInterval(this.#timer);
    this.#flush(Number.POSITIVE_INFINITY);
  }

  /** A name that the sender chose, without long numbers. */
  #shown(text: string): string {
    return this.#scrub(text.slice(0, SHOWN_LENGTH_MAX)).replaceAll(/\d{5,}/g, '<number>');
  }

  #flush(nowMs: number): void {
    this.#records.flush(nowMs);
    this.#requests.flush(nowMs);
  }

  #writeRecords(kind: string, records: number, refused: Refused<RecordSource> | undefined): void {
    if (refused === undefined) return;
    const { of, reason, example } = refused;
    if (kind === OTHERS) this.#logger.warn({ sender: OTHERS, records }, 'records are refused');
    else if ('file' in of) {
      const at = { ...example, fromByte: of.fromByte };
      this.#logger.warn({ file: of.file, reason, records, example: at }, 'lines of tailed files are refused');
    } else {
      const { sender, format } = of;
      this.#logger.warn({ sender, format, reason, records, example }, 'records are refused');
    }
  }

  #writeRequests(kind: string, requests: number, refused: Refused<RefusedRequest> | undefined): void {
    if (refused === undefined) return;
    const { of, reason, example } = refused;
    const status = ERROR_STATUS[of.code];
    const from = of.sender === undefined ? { client: networkOf(of.client) } : { sender: of.sender };
    if (kind === OTHERS) this.#logger.warn({ client: OTHERS, requests }, 'requests are refused');
    else if (TOKEN_CODES.has(of.code)) {
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
