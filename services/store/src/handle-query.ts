/*
 * One request, step by step: who, what, body, session, engine, answer. Whatever happens the body's file is
 * removed, the session is given back, and the client learns how it ended.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, type ServerFacts, createAnswer, setServerHeaders } from './answer.js';
import { type Credentials, authenticate } from './authentication.js';
import { insertingFrom, killingOneOf, refuseForbidden } from './engine-sql.js';
import { formBoundary, readForm } from './multipart-form.js';
import { type StatementWithData, readStatementAndData, readWhole, statementOf } from './request-body.js';
import { type RequestParameters, readParameters } from './request-parameters.js';
import { type ReadContext, runRead } from './run-read.js';
import type { Lane, Lent } from './session-pool.js';
import { fromByteText } from './sql-tokens.js';
import type { Statement, StatementKind } from './statement.js';
import { type StoreError, asStoreError, storeError } from './store-error.js';

export type QueryContext = ReadContext & {
  readonly credentials: Credentials;
  readonly facts: ServerFacts;
  /** Ends the process: for an engine that has given up. */
  readonly fail: (error: Error) => void;
};

type Request = {
  readonly asked: RequestParameters;
  readonly statement: Statement;
  readonly data: StatementWithData['data'];
  readonly answer: Answer;
  readonly signal: AbortSignal;
};

const LANE_OF: Readonly<Record<StatementKind, Lane>> = {
  read: 'read',
  show: 'read',
  insert: 'write',
  command: 'write',
  session: 'control',
  control: 'control',
};

/** Answers a request for a statement. Never throws. */
export async function handleQuery(
  context: QueryContext,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const startedMs = performance.now();
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  let kind: StatementKind | 'unknown' = 'unknown';
  let data: StatementWithData['data'];
  let answer = createAnswer(request, response, context.facts, { ...PLAIN, startedMs });
  let result = 'ok';
  try {
    authenticate(context.credentials, request.headers, url.searchParams);
    const { asked, read } = await askedFor(context, request, url);
    setServerHeaders(response, context.facts, asked.queryId);
    answer = createAnswer(request, response, context.facts, {
      compress: asked.compressResponse,
      compressionLevel: asked.compressionLevel,
      readerStallMs: context.config.readerStallMs,
      startedMs,
    });
    const { statement, ...rest } = await read();
    data = rest.data;
    kind = statement.kind;
    refuse(asked, statement);
    const signal = kind === 'read' ? AbortSignal.any([gone.signal, context.stopReads]) : gone.signal;
    await runStatement(context, { asked, statement, data, answer, signal });
  } catch (thrown) {
    const error = asStoreError(thrown);
    result = gone.signal.aborted ? 'cancelled' : error.status >= 500 ? 'failed' : 'refused';
    tell(context, request, answer, error, gone.signal);
  } finally {
    data?.remove();
    context.metrics.queries.inc({ kind, result });
    context.metrics.querySeconds.observe({ kind }, (performance.now() - startedMs) / 1000);
  }
}

const PLAIN = { compress: false, compressionLevel: 1, readerStallMs: 60_000 };

function tell(
  context: QueryContext,
  request: IncomingMessage,
  answer: Answer,
  error: StoreError,
  signal: AbortSignal,
): void {
  // The store's own 236 has no cause; the engine says it when it has met a fatal error and takes nothing any more.
  if (error.code === 236 && error.cause !== undefined) context.fail(error);
  if (error.code === 1002) context.logger.error({ err: error }, 'a statement failed in an unforeseen way');
  if (signal.aborted) return;
  answer.fail(error);
  // What is left of a body would be taken for the next request.
  if (!request.complete) request.unpipe().resume();
}

/** Parameters out of URL and form, and how to get the statement. */
async function askedFor(
  context: QueryContext,
  request: IncomingMessage,
  url: URL,
): Promise<{ asked: RequestParameters; read: () => Promise<StatementWithData> }> {
  const boundary = formBoundary(request.headers['content-type']);
  if (boundary === undefined) {
    const asked = readParameters(url.searchParams, request.headers, request.method);
    return { asked, read: () => readStatementAndData(request, asked.query, context.spool, context.config) };
  }
  const form = readForm(await readWhole(request, context.config.queryBytesMax * 4), boundary);
  const asked = readParameters([...url.searchParams, ...form], request.headers, request.method);
  return { asked, read: async () => ({ statement: statementOf(asked.query ?? ''), data: undefined }) };
}

function refuse(asked: RequestParameters, statement: Statement): void {
  refuseForbidden(statement);
  if (asked.readonly && statement.kind !== 'read' && statement.kind !== 'show')
    throw storeError(
      164,
      'Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries',
    );
  for (const name of statement.parameters) {
    if (!asked.parameters.has(name)) throw storeError(456, `Substitution \`${name}\` is not set`);
  }
}

async function runStatement(context: QueryContext, request: Request): Promise<void> {
  const { statement, asked, signal, data } = request;
  const insert =
    statement.kind === 'insert' && data !== undefined ? insertingFrom(statement, data.path) : undefined;
  const lent = await context.pool.acquire(LANE_OF[statement.kind], signal);
  let clean = false;
  try {
    await lent.prepare({
      database: asked.database,
      settings: asked.settings,
      parameters: asked.parameters,
      readsFile: insert?.readsFile ?? false,
    });
    if (statement.kind === 'read')
      await runRead(context, { statement, asked, answer: request.answer, signal }, lent);
    else if (statement.kind === 'insert') await runInsert(context, request, lent, insert?.sql);
    else await runCommand(context, request, lent);
    clean = statement.kind !== 'session';
  } catch (error) {
    clean = !LEAVES_TRACES.has(asStoreError(error).code);
    throw error;
  } finally {
    lent.release(!clean);
  }
}

/** After these the session is replaced: unforeseen; and cancelled, which stays in the engine's list of statements. */
const LEAVES_TRACES = new Set([1002, 394, 236]);

async function runInsert(
  context: QueryContext,
  request: Request,
  lent: Lent,
  rewritten: string | undefined,
): Promise<void> {
  const { statement, data, asked, answer } = request;
  if (data?.bytes === 0 && asked.settings.get('throw_if_no_data_to_insert') !== '0')
    throw storeError(108, 'No data to insert', 400);
  const written = await lent.session.write(rewritten ?? fromByteText(statement.sql));
  context.metrics.insertedRows.inc(written.writtenRows);
  context.metrics.insertedBytes.inc(data?.bytes ?? 0);
  answer.whole(undefined, Buffer.alloc(0), written);
}

async function runCommand(context: QueryContext, request: Request, lent: Lent): Promise<void> {
  const { statement, asked, answer } = request;
  const format = statement.format === undefined ? asked.defaultFormat : fromByteText(statement.format);
  const sql =
    statement.kind === 'control' ? killingOneOf(statement, context.reads) : fromByteText(statement.sql);
  const { output, resultRows, resultBytes } = await lent.session.run(sql, format);
  answer.whole(output.length === 0 ? undefined : format, output, { resultRows, resultBytes });
}
