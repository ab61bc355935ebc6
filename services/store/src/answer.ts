/*
 * The answer to a statement on the wire: headers as a server sends them, compression, an error before the first
 * byte as a status, an error after it as the exception block at the end and a connection cut short, so that no
 * client takes half a result for a whole one.
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

export type ServerFacts = {
  readonly version: string;
  readonly timezone: string;
  readonly displayName: string;
};

export type Answer = {
  /** Whether the status and the headers are out. */
  readonly begun: boolean;
  /** Sends status 200 and headers. Before the first byte of a result whose end is not known yet. */
  begin(format: string): void;
  /** Sends bytes of the result; resolves when more may come. Throws code 394 when the client is gone or stalls. */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends a result that was begun. */
  end(): void;
  /** Sends a whole result. `format` undefined: no rows, no type. */
  whole(format: string | undefined, body: Uint8Array, summary: Summary): void;
  /** Tells an error, whatever was sent before. */
  fail(error: StoreError): void;
};

type Compressor = Gzip | Deflate | BrotliCompress;

export function createAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  facts: ServerFacts,
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
      if (response.destroyed) throw storeError(394, 'The client went away');
      if (sink.write(chunk)) return;
      await drained(sink, response, options.readerStallMs);
    },
    end: () => void sink.end(),
    whole(format, body, summary) {
      head(body.length === 0 && format === undefined ? undefined : format, summary);
      if (encoding === undefined) response.setHeader('Content-Length', body.length);
      sink.end(body);
    },
    fail(error) {
      const text = exceptionText(error, facts.version);
      if (!response.headersSent) return failWhole(response, error, text);
      void cutShort(response, compressor, exceptionBlock(text, exceptionTag));
    },
  };
}

/** Headers that every answer carries. */
export function setServerHeaders(response: ServerResponse, facts: ServerFacts, queryId: string): void {
  response.setHeader('X-ClickHouse-Server-Display-Name', facts.displayName);
  response.setHeader('X-ClickHouse-Timezone', facts.timezone);
  response.setHeader('X-ClickHouse-Query-Id', queryId);
}

function failWhole(response: ServerResponse, error: StoreError, text: string): void {
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
 * Sends what is left and the block in one piece, then closes without the last chunk. The connection stays a moment
 * longer, for a client that is still unpacking would take the close for the error and never see the block.
 */
async function cutShort(
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
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), stallMs);
  const gone = (): void => giveUp.abort();
  response.once('close', gone);
  try {
    await once(sink, 'drain', { signal: giveUp.signal });
  } catch (error) {
    if (!giveUp.signal.aborted) throw error;
    response.destroy();
    throw storeError(394, `The client went away, or took nothing for ${stallMs} ms`);
  } finally {
    clearTimeout(timer);
    response.off('close', gone);
  }
}

function summaryText(summary: Summary, elapsedNs: number): string {
  // The engine does not tell how many rows it read.
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

/** The server's order of preference among what the client takes. */
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
