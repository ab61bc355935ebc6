/*
 * Runs a statement that returns rows: the engine writes them into a named pipe, and the answer streams them to the
 * client. The first bytes are held back, so that an early error becomes a status and not half a result. When the
 * client disconnects, its statement is stopped.
 */
import type { Logger } from '@imscope/runtime/logger.js';
import type { Answer } from './answer.js';
import type { StoreConfig } from './config.js';
import { selectIntoPipe, writesToPipe } from './engine-sql.js';
import type { StoreMetrics } from './metrics.js';
import type { RequestParameters } from './request-parameters.js';
import { openResultPipe } from './result-pipe.js';
import type { ScratchFiles } from './scratch-files.js';
import type { SessionLease, SessionPool } from './session-pool.js';
import type { Statement } from './statement.js';
import { type StoreError, asStoreError, storeError } from './store-error.js';

export type ReadContext = {
  readonly config: StoreConfig;
  readonly pool: SessionPool;
  readonly scratch: ScratchFiles;
  readonly metrics: StoreMetrics;
  readonly logger: Logger;
  /** Paths of the pipes of running reads, by query id. */
  readonly reads: Map<string, string>;
  /** Aborted when the store stops and running reads have used up their time. */
  readonly stopReads: AbortSignal;
};

export type Read = {
  readonly statement: Statement;
  readonly parameters: RequestParameters;
  readonly answer: Answer;
  /** Aborted when the client disconnected or the store stops. */
  readonly signal: AbortSignal;
};

/** Pause between two attempts to stop a statement: the first may come before the engine lists the statement. */
const KILL_INTERVAL_MS = 500;

/**
 * Runs the statement and answers it. Throws the engine's errors, 394 where the client disconnected, 396 over a bound.
 */
export async function runRead(context: ReadContext, read: Read, lease: SessionLease): Promise<void> {
  const { parameters, answer, signal } = read;
  const path = context.scratch.pipe(`read-${lease.slot}`);
  const { sql, format } = selectIntoPipe(read.statement, path, parameters.defaultFormat);
  const pipe = openResultPipe(path);
  const settled = new AbortController();
  const outcome = lease.session
    .run(sql)
    .then(
      (result) => ({ result }),
      (error: unknown) => ({ error: asStoreError(error) }),
    )
    .finally(() => {
      settled.abort();
      pipe.finish();
    });
  const stop = (): void => void killUntil(context, path, settled.signal);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  context.reads.set(parameters.queryId, path);
  try {
    const held = await streamRows(context, read, pipe.chunks, format);
    const ended = await outcome;
    if (signal.aborted) throw stopReason(context);
    if ('error' in ended) throw ended.error;
    if (answer.begun) answer.end();
    else answer.sendComplete(format, Buffer.concat(held), ended.result);
  } catch (error) {
    if (!settled.signal.aborted) stop();
    await outcome;
    throw signal.aborted ? stopReason(context) : error;
  } finally {
    signal.removeEventListener('abort', stop);
    if (context.reads.get(parameters.queryId) === path) context.reads.delete(parameters.queryId);
  }
}

/** Sends rows as they come. @returns chunks held back: the complete result where the answer has not begun */
async function streamRows(
  context: ReadContext,
  { parameters, answer, signal }: Read,
  chunks: AsyncIterable<Buffer>,
  format: string,
): Promise<Buffer[]> {
  const { resultBytesMax, resultHoldBytes } = context.config;
  const heldBytesMax = parameters.waitEndOfQuery ? resultBytesMax : resultHoldBytes;
  const held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    if (signal.aborted) break;
    context.metrics.resultBytes.inc(chunk.length);
    if (answer.begun) {
      await answer.write(chunk);
      continue;
    }
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes <= heldBytesMax) continue;
    if (parameters.waitEndOfQuery)
      throw storeError(
        396,
        `The result has more than ${heldBytesMax} bytes: read it without wait_end_of_query, or raise RESULT_BYTES_MAX`,
      );
    answer.begin(format);
    for (const first of held.splice(0)) await answer.write(first);
  }
  return held;
}

function stopReason(context: ReadContext): StoreError {
  return context.stopReads.aborted
    ? storeError(236, 'The store is stopping; try again in a moment')
    : storeError(394, 'The client disconnected');
}

/** Kills the read that writes into `path`, repeatedly until it has ended. */
async function killUntil(context: ReadContext, path: string, settled: AbortSignal): Promise<void> {
  const needs = { database: 'default', settings: new Map(), queryParameters: new Map(), readsFile: false };
  try {
    while (!settled.aborted) {
      const lease = await context.pool.acquire('control', settled);
      try {
        await lease.prepare(needs);
        await lease.session.run(`KILL QUERY WHERE ${writesToPipe(path)}`);
      } finally {
        lease.release();
      }
      await new Promise((resolve) => setTimeout(resolve, KILL_INTERVAL_MS));
    }
  } catch (error) {
    if (!settled.aborted)
      context.logger.warn({ err: error, path }, 'a read without a client could not be stopped');
  }
}
