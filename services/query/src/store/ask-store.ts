/*
 * Sends one query to the store, bounded in time, memory, rows and concurrency. Checks the shape of the result and counts
 * it. A failure of the store becomes an error answer with a stable code; the store's own message is only logged.
 */
import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Counter, Histogram } from 'prom-client';
import { type Static, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { RefusalMetrics, RefusalReason } from './refusal-metrics.js';
import type { QueryAdmission } from './query-admission.js';

/** A store query by name, and the parser of its result. Throws where a row has another shape. */
export type StoreQuery<Row> = {
  readonly name: string;
  readonly read: (answer: unknown) => {
    readonly rows: readonly Row[];
    readonly rowsRead: number;
    readonly bytesRead: number;
  };
};

/** Bound values by name; SQL refers to them as `{name:Type}`. */
export type QueryParams = Readonly<Record<string, string | number | readonly number[] | readonly string[]>>;

export type Ask = <Row>(
  question: StoreQuery<Row>,
  sql: string,
  params: QueryParams,
  signal?: AbortSignal,
) => Promise<readonly Row[]>;

/** Bounds of the results of all queries of one answer. */
export type ResultBounds = {
  /** For each query. */
  readonly rowsMax: number;
  /** For all queries together, as JSON. */
  readonly bytesMax: number;
};

/** What the store has read for one answer: rows, and bytes of columns before compression. */
export type StoreCost = { readonly rows: number; readonly bytes: number };

/** The queries of one answer. `cost` grows with each result. */
export type AnswerAsk = Ask & { readonly cost: () => StoreCost };

/** `within` asks within the bounds of one answer; a direct call, within those of look-ups that answers share. */
export type AskWithin = Ask & { readonly within: (bounds: ResultBounds) => AnswerAsk };

/** @param row the shape of one row of the answer, by column names */
export function defineStoreQuery<R extends TSchema>(name: string, row: R): StoreQuery<Static<R>> {
  const validator = Compile(Type.Array(row));
  return {
    name,
    read: (value) => {
      if (!CompactAnswer.Check(value)) throw new Error(malformed(name, CompactAnswer.Errors(value)));
      const { meta, data, statistics } = value;
      const rows = rowsOf(
        meta.map((column) => column.name),
        data,
      );
      if (!validator.Check(rows)) throw new Error(malformed(name, validator.Errors(rows)));
      const checked: readonly Static<R>[] = rows;
      return { rows: checked, rowsRead: statistics.rows_read, bytesRead: statistics.bytes_read };
    },
  };
}

/** The format `JSONCompact`: a row is an array, in the order of the columns. A fifth of the bytes of `JSON` where rows hold histograms. */
const CompactAnswer = Compile(
  Type.Object({
    meta: Type.Array(Type.Object({ name: Type.String() })),
    data: Type.Array(Type.Array(Type.Unknown())),
    statistics: Type.Object({ rows_read: Type.Number(), bytes_read: Type.Number() }),
  }),
);

function rowsOf(names: readonly string[], data: readonly (readonly unknown[])[]): unknown[] {
  return data.map((values) => {
    const row: Record<string, unknown> = {};
    names.forEach((name, index) => {
      row[name] = values[index];
    });
    return row;
  });
}

function malformed(name: string, [first]: readonly { instancePath: string; message: string }[]): string {
  return `the store's answer to "${name}" is malformed at ${first?.instancePath ?? '/'}: ${first?.message ?? ''}`;
}

export type StoreMetrics = RefusalMetrics & {
  readonly storeSeconds: Histogram<'question'>;
  readonly storeRowsRead: Counter<'question'>;
};

export type AskOptions = {
  readonly client: ClickHouseClient;
  readonly admission: QueryAdmission;
  readonly metrics: StoreMetrics;
  readonly logger: Logger;
  readonly timeoutMs: number;
  readonly memoryBytesMax: number;
  /** Rows that the queries of one answer may read together. */
  readonly rowsReadMax: number;
};

type FailureOptions = Pick<AskOptions, 'timeoutMs' | 'rowsReadMax' | 'logger'> & {
  readonly metrics: RefusalMetrics;
};

/** Look-ups that answers share, such as the ledger for completeness: one of each runs at a time. */
const SHARED_BOUNDS: ResultBounds = { rowsMax: 200_000, bytesMax: 64 << 20 };

export function createAsk(options: AskOptions): AskWithin {
  const ask: Ask = (question, sql, params, signal) =>
    askOnce(options, accountOf(SHARED_BOUNDS), question, sql, params, signal);
  const within = (bounds: ResultBounds): AnswerAsk => {
    const account = accountOf(bounds);
    const own: Ask = (question, sql, params, signal) =>
      askOnce(options, account, question, sql, params, signal);
    return Object.assign(own, { cost: () => ({ rows: account.rowsRead, bytes: account.bytesRead }) });
  };
  return Object.assign(ask, { within });
}

/** What is left of the bounds of an answer, and what was read for it. */
type Account = { readonly rowsMax: number; bytesMax: number; rowsRead: number; bytesRead: number };

function accountOf(bounds: ResultBounds): Account {
  return { ...bounds, rowsRead: 0, bytesRead: 0 };
}

/** @param account reduced by the bytes of this result, and by the rows that it read */
function askOnce<Row>(
  options: AskOptions,
  account: Account,
  question: StoreQuery<Row>,
  sql: string,
  params: QueryParams,
  signal: AbortSignal | undefined,
): Promise<readonly Row[]> {
  const { client, admission, metrics } = options;
  return admission.run(async () => {
    const end = metrics.storeSeconds.startTimer({ question: question.name });
    try {
      const result = await client.query({
        query: sql,
        query_params: params,
        format: 'JSONCompact',
        clickhouse_settings: settingsOf(options, account),
        use_multipart_params_auto: true,
        ...(signal === undefined ? {} : { abort_signal: signal }),
      });
      const text = await result.text();
      // The store counts bytes of columns. Rows as JSON are larger, and parsed rows take several times that.
      account.bytesMax -= Buffer.byteLength(text);
      if (account.bytesMax < 0) throw new ResultTooLarge(`the rows of "${question.name}" are too many bytes`);
      const answer: unknown = JSON.parse(text);
      const { rows, rowsRead, bytesRead } = question.read(answer);
      account.rowsRead += rowsRead;
      account.bytesRead += bytesRead;
      metrics.storeRowsRead.inc({ question: question.name }, rowsRead);
      return rows;
    } catch (error) {
      if (signal?.aborted === true)
        throw new HttpError('unavailable', 'the caller has gone', { cause: error });
      throw storeFailure(error, options, question.name);
    } finally {
      end();
    }
  }, signal);
}

/** The error answer of a failure of the store, which is counted and logged. */
export function storeFailure(error: unknown, options: FailureOptions, question: string): HttpError {
  const { answer, reason } = asAnswer(error, options);
  options.metrics.refused.inc({ reason });
  const level = reason === 'store_failed' ? 'error' : 'warn';
  options.logger[level]({ err: error, question }, 'the store did not answer a question');
  return answer;
}

/** The settings of one query. The store reads 0 as no bound. */
function settingsOf({ timeoutMs, memoryBytesMax, rowsReadMax }: AskOptions, account: Account) {
  return {
    max_execution_time: timeoutMs / 1000,
    max_memory_usage: String(memoryBytesMax),
    max_rows_to_read: String(Math.max(1, rowsReadMax - account.rowsRead)),
    read_overflow_mode: 'throw',
    max_result_rows: String(Math.max(1, account.rowsMax)),
    max_result_bytes: String(Math.max(1, account.bytesMax)),
    result_overflow_mode: 'throw',
    output_format_json_named_tuples_as_objects: 0,
    output_format_json_quote_64bit_integers: 0,
    // A ClickHouse server stops the query of a closed connection only with both; services/store always does.
    readonly: '2',
    cancel_http_readonly_queries_on_client_close: 1,
  } as const;
}

class ResultTooLarge extends Error {}

const TIMEOUT_CODES: ReadonlySet<string> = new Set(['159', '160']);
const TOO_LARGE_CODES: ReadonlySet<string> = new Set(['241', '307', '396']);
/** Of `max_rows_to_read`. */
const TOO_MANY_ROWS_CODE = '158';
/** Busy, starting, without tables yet, or credentials not yet in place: the caller can only retry. */
const AWAY_CODES: ReadonlySet<string> = new Set(['60', '81', '192', '193', '194', '202', '203', '516']);

/**
 * The error answer of a failure. Parameters are checked before the store is asked, so any other failure is not the
 * caller's fault: it is `store_failed`, and the log holds the store's own message.
 */
function asAnswer(
  error: unknown,
  { timeoutMs, rowsReadMax }: FailureOptions,
): { answer: HttpError; reason: RefusalReason } {
  if (error instanceof ClickHouseError) {
    if (error.code === TOO_MANY_ROWS_CODE) return tooManyRows(error, rowsReadMax);
    if (TIMEOUT_CODES.has(error.code)) return timedOut(error, timeoutMs);
    if (TOO_LARGE_CODES.has(error.code)) return tooLarge(error);
    return AWAY_CODES.has(error.code) ? away(error, 'store_away') : away(error, 'store_failed');
  }
  if (error instanceof ResultTooLarge) return tooLarge(error);
  if (!(error instanceof Error)) return away(error, 'store_failed');
  if (/^timeout/i.test(error.message)) return timedOut(error, timeoutMs);
  const isSocket = 'code' in error && typeof error.code === 'string' && /^(E[A-Z]+|UND_)/.test(error.code);
  return away(error, isSocket || /socket hang up|abort/i.test(error.message) ? 'store_away' : 'store_failed');
}

function timedOut(cause: Error, timeoutMs: number): { answer: HttpError; reason: RefusalReason } {
  const message = `the store took longer than ${timeoutMs} ms: ask for a shorter span or add filters`;
  return { answer: new HttpError('timeout', message, { cause, retryAfterS: 5 }), reason: 'timeout' };
}

function tooLarge(cause: Error): { answer: HttpError; reason: RefusalReason } {
  const message =
    'this question takes more memory, rows or bytes than is allowed: ask for a shorter span, a longer step or a smaller page, or add filters';
  return { answer: new HttpError('query_too_large', message, { cause }), reason: 'too_large' };
}

function tooManyRows(cause: Error, rowsReadMax: number): { answer: HttpError; reason: RefusalReason } {
  const message = `this question would read more than ${rowsReadMax} rows of the store, the most that are allowed: ask for a shorter span, or add filters`;
  return { answer: new HttpError('query_too_large', message, { cause }), reason: 'too_many_rows' };
}

function away(
  cause: unknown,
  reason: 'store_away' | 'store_failed',
): { answer: HttpError; reason: RefusalReason } {
  const message = 'the store does not answer: ask again in a few seconds';
  return { answer: new HttpError('unavailable', message, { cause, retryAfterS: 5 }), reason };
}
