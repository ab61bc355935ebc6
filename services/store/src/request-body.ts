/*
 * The body of a request: decompressed, bounded, and cut where the data of an INSERT begins. The statement is
 * gathered in memory, the data goes into a spool file, byte for byte.
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
import { toByteText } from './sql-tokens.js';
import type { Spool, SpoolFile } from './spool.js';
import { type Statement, readStatement } from './statement.js';
import { StoreError, asStoreError, storeError } from './store-error.js';

export type RequestBounds = { readonly queryBytesMax: number; readonly bodyBytesMax: number };

export type StatementWithData = {
  readonly statement: Statement;
  /** Data of an INSERT; the caller removes the file. */
  readonly data: SpoolFile | undefined;
};

/** Reads the statement from URL and body together, as the server joins them: a line break between the two. */
export async function readStatementAndData(
  request: IncomingMessage,
  query: string | undefined,
  spool: Spool,
  bounds: RequestBounds,
): Promise<StatementWithData> {
  const chunks = boundedChunks(request, bounds.bodyBytesMax);
  const prefix = query === undefined || query === '' ? '' : `${toByteText(query)}\n`;
  if (prefix.length > bounds.queryBytesMax) throw tooLong(bounds.queryBytesMax);
  const complete = insertInside(prefix);
  if (complete !== undefined) return withData(complete, prefix, chunks, spool);
  let gathered = prefix;
  // Not a for-await: leaving one would end the generator, and the data is still in it.
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    gathered += next.value.toString('latin1');
    if (gathered.length > bounds.queryBytesMax) {
      const insert = insertInside(gathered);
      if (insert === undefined) throw tooLong(bounds.queryBytesMax);
      return withData(insert, gathered, chunks, spool);
    }
  }
  const statement = readStatement(gathered);
  if (statement.dataAt === undefined) return { statement, data: undefined };
  return withData(statement, gathered, chunks, spool);
}

function tooLong(queryBytesMax: number): StoreError {
  return storeError(
    229,
    `The statement has more than ${queryBytesMax} bytes; raise QUERY_BYTES_MAX, or send values as data of an INSERT`,
  );
}

/** The INSERT at the beginning of `text` if it is there up to its data; undefined where more has to come first. */
function insertInside(text: string): Statement | undefined {
  if (text === '') return undefined;
  try {
    const statement = readStatement(text);
    return statement.dataAt === undefined ? undefined : statement;
  } catch (error) {
    // A string or comment may be closed by what is still to come.
    if (asStoreError(error).code === 62) return undefined;
    throw error;
  }
}

async function withData(
  statement: Statement,
  gathered: string,
  chunks: AsyncIterable<Buffer>,
  spool: Spool,
): Promise<StatementWithData> {
  const data = spool.createFile();
  try {
    const begun = gathered.slice(statement.dataAt ?? gathered.length);
    if (begun !== '') data.write(Buffer.from(begun, 'latin1'));
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
    // Leaving the loop must not destroy the request: the answer still has to go back on its connection.
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
      throw storeError(210, 'The client went away in the middle of the body');
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))
      throw storeError(117, `The body is not what Content-Encoding says: ${error.message}`, 400);
    throw error;
  }
}

function decompressed(request: IncomingMessage): Readable {
  const encoding = (request.headers['content-encoding'] ?? '').toLowerCase();
  const through = (decoder: Gunzip | Inflate | BrotliDecompress): Readable => {
    request.once('error', (error) => decoder.destroy(error));
    return request.pipe(decoder);
  };
  switch (encoding) {
    case '':
    case 'identity':
      return request;
    case 'gzip':
    case 'x-gzip':
      return through(createGunzip());
    case 'deflate':
      return through(createInflate());
    case 'br':
      return through(createBrotliDecompress());
    default:
      throw storeError(
        89,
        `Content-Encoding "${encoding}" is not supported: use gzip, deflate, br, or none`,
        415,
      );
  }
}

/** Text of a small body, for forms. */
export async function readWhole(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of boundedChunks(request, bytesMax)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A statement that is here whole. */
export function statementOf(query: string): Statement {
  return readStatement(toByteText(query));
}
