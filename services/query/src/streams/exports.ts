/*
 * Exports: requests as a file, from the store to the caller without being held here. They are counted first, so that the
 * caller sees how many come, and an export that would be too large is refused instead of cut. A connection that is
 * closed before the last byte means that the file is not complete; the query then ends in the store too.
 */
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Logger } from '@imscope/runtime/logger.js';
import { EXPORT_ROWS_HEADER, type ExportFormat } from '@imscope/schemas/query-api/request-streams.js';
import { Type } from 'typebox';
import type { RequestSearch } from '../figures/request-search.js';
import { type Ask, defineStoreQuery, storeFailure } from '../store/ask-store.js';
import type { RefusalMetrics } from '../store/refusal-metrics.js';
import type { CallerSlots } from './caller-slots.js';
import { COUNT_SQL, EXPORT_SETTINGS, exportSql, STORE_FORMATS } from './export-sql.js';

export type ExportOptions = {
  /** Its requests may take `timeoutMs`. */
  readonly client: ClickHouseClient;
  readonly slots: CallerSlots;
  readonly metrics: RefusalMetrics;
  readonly logger: Logger;
  readonly rowsMax: number;
  readonly timeoutMs: number;
  readonly memoryBytesMax: number;
  /** A caller that does not read for so long is left. */
  readonly stallMsMax: number;
};

export type ExportRequest = {
  readonly search: RequestSearch;
  readonly format: ExportFormat;
  /** Without extension. */
  readonly fileName: string;
  readonly caller: string;
  readonly ask: Ask;
};

/** Answers with the file; resolves when it is sent or the caller has gone. Throws `HttpError` before the first byte. */
export type SendExport = (request: ExportRequest, response: ServerResponse) => Promise<void>;

const COUNT = defineStoreQuery('export_count', Type.Object({ rows: Type.Number() }));

export function createExports(options: ExportOptions): SendExport {
  return async (request, response) => {
    const release = options.slots.take(request.caller);
    const left = new AbortController();
    const leave = (): void => left.abort();
    response.once('close', leave);
    if (response.destroyed) leave();
    try {
      const rows = await countRows(request, options, left.signal);
      await sendRows(request, rows, options, response, left.signal);
    } finally {
      response.off('close', leave);
      release();
    }
  };
}

async function countRows(
  { ask, search }: ExportRequest,
  { rowsMax, metrics }: ExportOptions,
  signal: AbortSignal,
): Promise<number> {
  const [count] = await ask(COUNT, COUNT_SQL(search.sql), search.params, signal);
  const rows = count?.rows ?? 0;
  if (rows <= rowsMax) return rows;
  metrics.refused.inc({ reason: 'too_many_rows' });
  throw new HttpError(
    'query_too_large',
    `this export has ${rows} requests, ${rowsMax} are allowed: give a shorter window or more filters`,
  );
}

async function sendRows(
  { search, format, fileName }: ExportRequest,
  rows: number,
  { client, logger, metrics, rowsMax, timeoutMs, memoryBytesMax, stallMsMax }: ExportOptions,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { stream, response_headers: headers } = await client
    .exec({
      query: exportSql(search.sql, format),
      query_params: { ...search.params },
      clickhouse_settings: {
        ...EXPORT_SETTINGS,
        max_execution_time: timeoutMs / 1000,
        max_memory_usage: String(memoryBytesMax),
      },
      use_multipart_params_auto: true,
      abort_signal: signal,
    })
    .catch((error: unknown) => {
      if (signal.aborted) throw new HttpError('unavailable', 'the caller has gone', { cause: error });
      throw storeFailure(error, { timeoutMs, rowsReadMax: rowsMax, metrics, logger }, 'export');
    });
  response.writeHead(200, {
    'content-type': STORE_FORMATS[format].contentType,
    'content-disposition': `attachment; filename="${fileName}.${format}"`,
    'cache-control': 'no-store',
    [EXPORT_ROWS_HEADER]: rows,
  });
  const tag = String(headers['x-clickhouse-exception-tag'] ?? '');
  try {
    await pump(stream, response, { tag, stallMsMax, signal });
    response.end();
  } catch (error) {
    if (!signal.aborted) {
      metrics.refused.inc({ reason: error instanceof ReaderStalled ? 'answer_unread' : 'store_failed' });
      logger.warn({ err: error }, 'an export ended before its end');
    }
    stream.destroy();
    response.destroy();
  }
}

class ReaderStalled extends Error {}

/** What a store that fails amid a result ends it with: a marker around a tag that is new in each answer. */
const FAILURE_TAIL_BYTES = 128;

type PumpOptions = { readonly tag: string; readonly stallMsMax: number; readonly signal: AbortSignal };

/** One chunk is in memory at a time, beside the buffers of the two sockets. */
async function pump(
  stream: Readable,
  response: ServerResponse,
  { tag, stallMsMax, signal }: PumpOptions,
): Promise<void> {
  let tail: Buffer = Buffer.alloc(0);
  const stop = (): void => void stream.destroy(new Error('the caller has gone'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stream) {
      if (!Buffer.isBuffer(chunk)) throw new Error('the store sent text where bytes were expected');
      if (!response.write(chunk)) await drained(response, stallMsMax);
      tail = Buffer.concat([tail, chunk]).subarray(-FAILURE_TAIL_BYTES);
      signal.throwIfAborted();
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  if (tag !== '' && tail.toString('latin1').trimEnd().endsWith(`${tag}\r\n__exception__`)) {
    throw new Error('the store failed amid the result');
  }
}

function drained(response: ServerResponse, stallMsMax: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      response.off('close', onClose);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onDrain = (): void => settle();
    const onClose = (): void => settle(new Error('the caller has gone'));
    const timer = setTimeout(
      () => settle(new ReaderStalled(`the caller did not read for ${stallMsMax} ms`)),
      stallMsMax,
    );
    response.once('drain', onDrain);
    response.once('close', onClose);
  });
}
