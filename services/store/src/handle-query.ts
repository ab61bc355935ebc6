/*
 * Handles one request: authenticate, read parameters and body, lease a session, run the statement, answer. In every
 * case the file of the body is removed, the session is released, and the client gets an answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, type ServerInfo, createAnswer, setServerHeaders } from './answer.js';
import { type Credentials, authenticate } from './authentication.js';
import { insertFromFile, killByQueryId, refuseForbidden } from './engine-sql.js';
import { formBoundary, readForm } from './multipart-form.js';
import { type StatementWithData, readStatementAndData, readBody, parseQueryText } from './request-body.js';
import { type RequestParameters, readParameters } from './request-parameters.js';
import { type ReadContext, runRead } from './run-read.js';
import type { SessionLease, Workload } from './session-pool.js';
import { fromByteText } from './sql-tokens.js';
import type { Statement, StatementKind } from './statement.js';
import { type StoreError, asStoreError, storeError } from './store-error.js';

export type QueryContext = ReadContext & {
  readonly credentials: Credentials;
  readonly serverInfo: ServerInfo;
  /** Ends the process after a fatal error of the engine. */
  readonly fail: (error: Error) => void;
};

type Request = {
  readonly parameters: RequestParameters;
  readonly statement: Statement;
  readonly data: StatementWithData['data'];
  readonly answer: Answer;
  readonly signal: AbortSignal;
};

const WORKLOAD_OF: Readonly<Record<StatementKind, Workload>> = {
  read: 'read',
  show: 'read',
  insert: 'write',
  command: 'write',
  session: 'control',
  control: 'control',
};

/** Never throws. */
export async function handleQuery(
  context: QueryContext,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const startedMs = performance.now();
  const disconnected = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) disconnected.abort();
  });
  let kind: StatementKind | 'unknown' = 'unknown';
  let data: StatementWithData['data'];
  let answer = createAnswer(request, response, context.serverInfo, { ...UNCOMPRESSED, startedMs });
  let result = 'ok';
  try {
    authenticate(context.credentials, request.headers, url.searchParams);
    const { parameters, read } = await readRequest(context, request, url);
    setServerHeaders(response, context.serverInfo, parameters.queryId);
    answer = createAnswer(request, response, context.serverInfo, {
      compress: parameters.compressResponse,
      compressionLevel: parameters.compressionLevel,
      readerStallMs: context.config.readerStallMs,
      startedMs,
    });
    const { statement, ...rest } = await read();
    data = rest.data;
    kind = statement.kind;
    checkStatement(parameters, statement);
    const signal =
      kind === 'read' ? AbortSignal.any([disconnected.signal, context.stopReads]) : disconnected.signal;
    await runStatement(context, { parameters, statement, data, answer, signal });
  } catch (thrown) {
    const error = asStoreError(thrown);
    result = disconnected.signal.aborted ? 'cancelled' : error.status >= 500 ? 'failed' : 'refused';
    answerFailure(context, request, answer, error, disconnected.signal);
  } finally {
    data?.remove();
    context.metrics.queries.inc({ kind, result });
    context.metrics.querySeconds.observe({ kind }, (performance.now() - startedMs) / 1000);
  }
}

const UNCOMPRESSED = { compress: false, compressionLevel: 1, readerStallMs: 60_000 };

function answerFailure(
  context: QueryContext,
  request: IncomingMessage,
  answer: Answer,
  error: StoreError,
  signal: AbortSignal,
): void {
  // The store's own 236 has no cause. The engine's 236 means a fatal error, after which it accepts no statement.
  if (error.code === 236 && error.cause !== undefined) context.fail(error);
  if (error.code === 1002)
    context.logger.error({ err: error }, 'a statement failed with an unexpected error');
  if (signal.aborted) return;
  answer.fail(error);
  // Unread bytes of the body would be parsed as the next request.
  if (!request.complete) request.unpipe().resume();
}

/** Reads the parameters from URL and form. `read` then reads the statement and its data. */
async function readRequest(
  context: QueryContext,
  request: IncomingMessage,
  url: URL,
): Promise<{ parameters: RequestParameters; read: () => Promise<StatementWithData> }> {
  const boundary = formBoundary(request.headers['content-type']);
  if (boundary === undefined) {
    const parameters = readParameters(url.searchParams, request.headers, request.method);
    return {
      parameters,
      read: () => readStatementAndData(request, parameters.query, context.scratch, context.config),
    };
  }
  const form = readForm(await readBody(request, context.config.queryBytesMax * 4), boundary);
  const parameters = readParameters([...url.searchParams, ...form], request.headers, request.method);
  return {
    parameters,
    read: async () => ({ statement: parseQueryText(parameters.query ?? ''), data: undefined }),
  };
}

function checkStatement(parameters: RequestParameters, statement: Statement): void {
  refuseForbidden(statement);
  if (parameters.readonly && statement.kind !== 'read' && statement.kind !== 'show')
    throw storeError(
      164,
      'Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries',
    );
  for (const name of statement.parameters) {
    if (!parameters.queryParameters.has(name)) throw storeError(456, `Substitution \`${name}\` is not set`);
  }
}

async function runStatement(context: QueryContext, request: Request): Promise<void> {
  const { statement, parameters, signal, data } = request;
  const insert =
    statement.kind === 'insert' && data !== undefined ? insertFromFile(statement, data.path) : undefined;
  const lease = await context.pool.acquire(WORKLOAD_OF[statement.kind], signal);
  let clean = false;
  try {
    await lease.prepare({
      database: parameters.database,
      settings: parameters.settings,
      queryParameters: parameters.queryParameters,
      readsFile: insert?.readsFile ?? false,
    });
    if (statement.kind === 'read')
      await runRead(context, { statement, parameters, answer: request.answer, signal }, lease);
    else if (statement.kind === 'insert') await runInsert(context, request, lease, insert?.sql);
    else await runCommand(context, request, lease);
    clean = statement.kind !== 'session';
  } catch (error) {
    clean = !SESSION_REPLACING_CODES.has(asStoreError(error).code);
    throw error;
  } finally {
    lease.release(!clean);
  }
}

/**
 * After these errors the session is replaced: 1002 is unexpected, and a cancelled statement stays in the engine's
 * list of statements.
 */
const SESSION_REPLACING_CODES = new Set([1002, 394, 236]);

async function runInsert(
  context: QueryContext,
  request: Request,
  lease: SessionLease,
  sql: string | undefined,
): Promise<void> {
  const { statement, data, parameters, answer } = request;
  if (data?.bytes === 0 && parameters.settings.get('throw_if_no_data_to_insert') !== '0')
    throw storeError(108, 'No data to insert', 400);
  const written = await lease.session.write(sql ?? fromByteText(statement.sql));
  context.metrics.insertedRows.inc(written.writtenRows);
  context.metrics.insertedBytes.inc(data?.bytes ?? 0);
  answer.sendComplete(undefined, Buffer.alloc(0), written);
}

async function runCommand(context: QueryContext, request: Request, lease: SessionLease): Promise<void> {
  const { statement, parameters, answer } = request;
  const format = statement.format === undefined ? parameters.defaultFormat : fromByteText(statement.format);
  const sql =
    statement.kind === 'control' ? killByQueryId(statement, context.reads) : fromByteText(statement.sql);
  const { output, resultRows, resultBytes } = await lease.session.run(sql, format);
  answer.sendComplete(output.length === 0 ? undefined : format, output, { resultRows, resultBytes });
}
