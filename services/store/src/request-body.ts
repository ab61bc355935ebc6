/*
 * Reads the body of a request: decompresses it, enforces its bounds, and splits it where the data of an INSERT
 * begins. The statement stays in memory; the data goes to a scratch file unchanged.
 */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import {
  type BrotliDecompress,
  type Gunzip,
  type Inflate,
  createBrotliDecompress,
  createGunzip,
  createInflate,
} from 'node:zlib';
import type { ScratchFile, ScratchFiles } from './scratch-files.js';
import { toByteText } from './sql-tokens.js';
import { type Statement, parseStatement } from './statement.js';
import { StoreError, asStoreError, storeError } from './store-error.js';

export type RequestBounds = { readonly queryBytesMax: number; readonly bodyBytesMax: number };

export type StatementWithData = {
  readonly statement: Statement;
  /** Data of an INSERT; the caller removes the file. */
  readonly data: ScratchFile | undefined;
};

/** Reads the statement from URL and body, joined by a line break as a ClickHouse server does. */
export async function readStatementAndData(
  request: IncomingMessage,
  query: string | undefined,
  scratch: ScratchFiles,
  bounds: RequestBounds,
): Promise<StatementWithData> {
  const chunks = boundedChunks(request, bounds.bodyBytesMax);
  const prefix = query === undefined || query === '' ? '' : `${toByteText(query)}\n`;
  if (prefix.length > bounds.queryBytesMax) throw tooLong(bounds.queryBytesMax);
  const insert = insertInside(prefix);
  if (insert !== undefined) return withData(insert, prefix, chunks, scratch);
  let gathered = prefix;
  // Not a for-await: leaving one would end the generator, which still holds the data.
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    gathered += next.value.toString('latin1');
    if (gathered.length > bounds.queryBytesMax) {
      const insert = insertInside(gathered);
      if (insert === undefined) throw tooLong(bounds.queryBytesMax);
      return withData(insert, gathered, chunks, scratch);
    }
  }
  const statement = parseStatement(gathered);
  if (statement.dataAt === undefined) return { statement, data: undefined };
  return withData(statement, gathered, chunks, scratch);
}

function tooLong(queryBytesMax: number): StoreError {
  return storeError(
    229,
    `The statement has more than ${queryBytesMax} bytes; raise QUERY_BYTES_MAX, or send values as data of an INSERT`,
  );
}

/** The INSERT at the beginning of `text` if `text` contains it up to its data; undefined where it does not yet. */
function insertInside(text: string): Statement | undefined {
  if (text === '') return undefined;
  try {
    const statement = parseStatement(text);
    return statement.dataAt === undefined ? undefined : statement;
  } catch (error) {
    // A string or comment may be closed by a later chunk.
    if (asStoreError(error).code === 62) return undefined;
    throw error;
  }
}

async function withData(
  statement: Statement,
  gathered: string,
  chunks: AsyncIterable<Buffer>,
  scratch: ScratchFiles,
): Promise<StatementWithData> {
  const data = scratch.createFile();
  try {
    const firstBytes = gathered.slice(statement.dataAt ?? gathered.length);
    if (firstBytes !== '') data.write(Buffer.from(firstBytes, 'latin1'));
    for await (const chunk of chunks) data.write(chunk);
    data.close();
    return { statement, data };
  } catch (error) {
    data.remove();
    throw error;
  }
}

/** One iterator over the decompressed body, so that two loops can share it. */
async function* boundedChunks(
  request: IncomingMessage,
  bytesMax: number,
): AsyncGenerator<Buffer, void, undefined> {
  const declared = Number(request.headers['content-length'] ?? 0);
  const tooLarge = (): StoreError =>
    storeError(307, `The body has more than ${bytesMax} bytes; send less at once, or raise BODY_BYTES_MAX`);
  if (declared > bytesMax) throw tooLarge();
  let bytes = 0;
  try {
    // Leaving the loop must not destroy the request: the answer is sent on its connection.
    for await (const chunk of decompressed(request).iterator({
      destroyOnReturn: false,
    }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw tooLarge();
      yield chunk;
    }
  } catch (error) {
    if (error instanceof StoreError) throw error;
    if (request.destroyed && !request.complete)
      throw storeError(210, 'The client disconnected in the middle of the body');
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))
      throw storeError(117, `The body is not what Content-Encoding says: ${error.message}`, 400);
    throw error;
  }
}

function decompressed(request: IncomingMessage): Readable {
  const encoding = (request.headers['content-encoding'] ?? '').toLowerCase();
  const pipeThrough = (decoder: Gunzip | Inflate | BrotliDecompress): Readable => {
    request.once('error', (error) => decoder.destroy(error));
    return request.pipe(decoder);
  };
  switch (encoding) {
    case '':
    case 'identity':
      return request;
    case 'gzip':
    case 'x-gzip':
      return pipeThrough(createGunzip());
    case 'deflate':
      return pipeThrough(createInflate());
    case 'br':
      return pipeThrough(createBrotliDecompress());
    default:
      throw storeError(
        89,
        `Content-Encoding "${encoding}" is not supported: use gzip, deflate, br, or none`,
        415,
      );
  }
}

/** The complete bytes of a small body, for forms. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of boundedChunks(request, bytesMax)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Parses a statement that came in the URL or in a form. */
export function parseQueryText(query: string): Statement {
  return parseStatement(toByteText(query));
}
