/*
 * The HTTP answer to a statement: headers as a ClickHouse server sends them, and compression. An error before the
 * first byte becomes a status. An error after it becomes an exception block, and the body ends without its last
 * chunk, so that no client takes half a result for a complete one.
 */
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import {
  type BrotliCompress,
  type Deflate,
  type Gzip,
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
} from 'node:zlib';
import { contentType } from './content-type.js';
import { type StoreError, exceptionText, storeError } from './store-error.js';

export type Summary = {
  readonly writtenRows?: number;
  readonly writtenBytes?: number;
  readonly resultRows?: number;
  readonly resultBytes?: number;
};

export type ServerInfo = {
  readonly version: string;
  readonly timezone: string;
  readonly displayName: string;
};

export type Answer = {
  /** Whether the status and the headers were sent. */
  readonly begun: boolean;
  /** Sends status 200 and headers, before the first byte of a streamed result. */
  begin(format: string): void;
  /**
   * Sends bytes of the result; resolves when more may follow. Throws code 394 when the client disconnected or stalls.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends a result that was begun. */
  end(): void;
  /** Sends a complete result. `format` undefined: no rows, no content type. */
  sendComplete(format: string | undefined, body: Uint8Array, summary: Summary): void;
  /** Sends an error, before or in the middle of a result. */
  fail(error: StoreError): void;
};

type Compressor = Gzip | Deflate | BrotliCompress;

export function createAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  serverInfo: ServerInfo,
  options: { compress: boolean; compressionLevel: number; readerStallMs: number; startedMs: number },
): Answer {
  const encoding = options.compress ? acceptedEncoding(request) : undefined;
  const exceptionTag = randomBytes(8).toString('hex');
  let compressor: Compressor | undefined;
  let sink: Writable = response;

  const head = (format: string | undefined, summary: Summary): void => {
    const elapsedNs = Math.round((performance.now() - options.startedMs) * 1e6);
    response.setHeader('X-ClickHouse-Summary', summaryText(summary, elapsedNs));
    response.setHeader('X-ClickHouse-Exception-Tag', exceptionTag);
    if (format !== undefined) {
      response.setHeader('X-ClickHouse-Format', format);
      response.setHeader('Content-Type', contentType(format));
    }
    if (encoding === undefined) return;
    response.setHeader('Content-Encoding', encoding);
    response.setHeader('Vary', 'Accept-Encoding');
    compressor = createCompressor(encoding, options.compressionLevel);
    compressor.pipe(response);
    sink = compressor;
  };

  return {
    get begun() {
      return response.headersSent;
    },
    begin(format) {
      head(format, {});
      response.flushHeaders();
    },
    async write(chunk) {
      if (response.destroyed) throw storeError(394, 'The client disconnected');
      if (sink.write(chunk)) return;
      await drained(sink, response, options.readerStallMs);
    },
    end: () => void sink.end(),
    sendComplete(format, body, summary) {
      head(body.length === 0 && format === undefined ? undefined : format, summary);
      if (encoding === undefined) response.setHeader('Content-Length', body.length);
      sink.end(body);
    },
    fail(error) {
      const text = exceptionText(error, serverInfo.version);
      if (!response.headersSent) return sendError(response, error, text);
      void endEarly(response, compressor, exceptionBlock(text, exceptionTag));
    },
  };
}

/** Headers that every answer carries. */
export function setServerHeaders(response: ServerResponse, serverInfo: ServerInfo, queryId: string): void {
  response.setHeader('X-ClickHouse-Server-Display-Name', serverInfo.displayName);
  response.setHeader('X-ClickHouse-Timezone', serverInfo.timezone);
  response.setHeader('X-ClickHouse-Query-Id', queryId);
}

function sendError(response: ServerResponse, error: StoreError, text: string): void {
  for (const name of ['Content-Encoding', 'X-ClickHouse-Format', 'Content-Length'])
    response.removeHeader(name);
  response.statusCode = error.status;
  response.setHeader('X-ClickHouse-Exception-Code', error.code);
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  if (error.status === 401)
    response.setHeader('WWW-Authenticate', 'Basic realm="ClickHouse server HTTP API"');
  if (error.status === 503) response.setHeader('Retry-After', 1);
  response.end(text);
}

/** As servers since 25.11: marker, tag, text, its length and tag again, marker. */
function exceptionBlock(text: string, tag: string): string {
  return `\r\n__exception__\r\n${tag}\r\n${text}${Buffer.byteLength(text)} ${tag}\r\n__exception__\r\n`;
}

/**
 * Sends buffered bytes and the block, then closes without the last chunk. The connection closes a moment later: a
 * client that is still decompressing would otherwise report the close as the error and never see the block.
 */
async function endEarly(
  response: ServerResponse,
  compressor: Compressor | undefined,
  block: string,
): Promise<void> {
  if (response.destroyed) return;
  if (compressor === undefined) {
    response.write(block);
  } else {
    compressor.write(block);
    await new Promise<void>((resolve) => compressor.flush(resolve));
  }
  const timer = setTimeout(() => response.socket?.end(), LINGER_MS);
  response.once('close', () => clearTimeout(timer));
}

const LINGER_MS = 2000;

async function drained(sink: Writable, response: ServerResponse, stallMs: number): Promise<void> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), stallMs);
  const onClose = (): void => abort.abort();
  response.once('close', onClose);
  try {
    await once(sink, 'drain', { signal: abort.signal });
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    response.destroy();
    throw storeError(394, `The client disconnected, or read nothing for ${stallMs} ms`);
  } finally {
    clearTimeout(timer);
    response.off('close', onClose);
  }
}

function summaryText(summary: Summary, elapsedNs: number): string {
  // The engine does not report how many rows it read.
  return JSON.stringify({
    read_rows: '0',
    read_bytes: '0',
    written_rows: String(summary.writtenRows ?? 0),
    written_bytes: String(summary.writtenBytes ?? 0),
    total_rows_to_read: '0',
    result_rows: String(summary.resultRows ?? 0),
    result_bytes: String(summary.resultBytes ?? 0),
    elapsed_ns: String(elapsedNs),
  });
}

type Encoding = 'gzip' | 'br' | 'deflate';

/** The first of the encodings the client accepts, in the server's order of preference. */
function acceptedEncoding(request: IncomingMessage): Encoding | undefined {
  const accepted = (request.headers['accept-encoding'] ?? '')
    .split(',')
    .map((part) => part.trim().split(';'))
    .filter(([, quality]) => !/^\s*q=0(?:\.0*)?$/.test(quality ?? ''))
    .map(([name]) => name?.toLowerCase());
  return (['gzip', 'br', 'deflate'] as const).find((encoding) => accepted.includes(encoding));
}

function createCompressor(encoding: Encoding, level: number): Compressor {
  if (encoding === 'gzip') return createGzip({ level });
  if (encoding === 'deflate') return createDeflate({ level });
  return createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: level } });
}
