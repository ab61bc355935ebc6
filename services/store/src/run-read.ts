/*
 * A statement that gives rows: the engine writes them into the pipe of the seat, we pass them on. The beginning is
 * held back, so that an error is a status and not half a result. A client that goes away ends its statement.
 */
import type { Logger } from '@imscope/runtime/logger.js';
import type { Answer } from './answer.js';
import type { StoreConfig } from './config.js';
import { readingInto, readsInto } from './engine-sql.js';
import type { StoreMetrics } from './metrics.js';
import type { RequestParameters } from './request-parameters.js';
import { openResultPipe } from './result-pipe.js';
import type { Lent, SessionPool } from './session-pool.js';
import type { Spool } from './spool.js';
import type { Statement } from './statement.js';
import { type StoreError, asStoreError, storeError } from './store-error.js';

export type ReadContext = {
  readonly config: StoreConfig;
  readonly pool: SessionPool;
  readonly spool: Spool;
  readonly metrics: StoreMetrics;
  readonly logger: Logger;
  /** Pipes of the reads that run now, by the id of their request. */
  readonly reads: Map<string, string>;
  /** Aborted when the store stops and reads have had their time. */
  readonly stopReads: AbortSignal;
};

export type Read = {
  readonly statement: Statement;
  readonly asked: RequestParameters;
  readonly answer: Answer;
  /** Aborted when nobody wants the rows any more. */
  readonly signal: AbortSignal;
};

/** Between two tries to stop a statement: the first may come before the engine knows it. */
const KILL_INTERVAL_MS = 500;

/** Runs the statement and answers it. Throws what the engine says, 394 where the client left, 396 over a bound. */
export async function runRead(context: ReadContext, read: Read, lent: Lent): Promise<void> {
  const { asked, answer, signal } = read;
  const path = context.spool.pipe(`read-${lent.seat}`);
  const { sql, format } = readingInto(read.statement, path, asked.defaultFormat);
  const pipe = openResultPipe(path);
  const settled = new AbortController();
  const outcome = lent.session
    .run(sql)
    .then(
      (facts) => ({ facts }),
      (error: unknown) => ({ error: asStoreError(error) }),
    )
    .finally(() => {
      settled.abort();
      pipe.finish();
    });
  const stop = (): void => void killUntil(context, path, settled.signal);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  context.reads.set(asked.queryId, path);
  try {
    const held = await passOn(context, read, pipe.chunks, format);
    const ended = await outcome;
    if (signal.aborted) throw goneOrStopping(context);
    if ('error' in ended) throw ended.error;
    if (answer.begun) answer.end();
    else answer.whole(format, Buffer.concat(held), ended.facts);
  } catch (error) {
    if (!settled.signal.aborted) stop();
    await outcome;
    throw signal.aborted ? goneOrStopping(context) : error;
  } finally {
    signal.removeEventListener('abort', stop);
    if (context.reads.get(asked.queryId) === path) context.reads.delete(asked.queryId);
  }
}

/** Passes rows on as they come. @returns those held back, all of them where the answer has not begun */
async function passOn(
  context: ReadContext,
  { asked, answer, signal }: Read,
  chunks: AsyncIterable<Buffer>,
  format: string,
): Promise<Buffer[]> {
  const { resultBytesMax, resultHoldBytes } = context.config;
  const heldBytesMax = asked.waitEndOfQuery ? resultBytesMax : resultHoldBytes;
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
    if (asked.waitEndOfQuery)
      throw storeError(
        396,
        `The result has more than ${heldBytesMax} bytes: read it without wait_end_of_query, or raise RESULT_BYTES_MAX`,
      );
    answer.begin(format);
    for (const first of held.splice(0)) await answer.write(first);
  }
  return held;
}

function goneOrStopping(context: ReadContext): StoreError {
  return context.stopReads.aborted
    ? storeError(236, 'The store is stopping; try again in a moment')
    : storeError(394, 'The client went away');
}

/** Stops the read that writes into `path`, again and again until it is over. */
async function killUntil(context: ReadContext, path: string, settled: AbortSignal): Promise<void> {
  const needs = { database: 'default', settings: new Map(), parameters: new Map(), readsFile: false };
  try {
    while (!settled.aborted) {
      const lent = await context.pool.acquire('control', settled);
      try {
        await lent.prepare(needs);
        await lent.session.run(`KILL QUERY WHERE ${readsInto(path)}`);
      } finally {
        lent.release();
      }
      await new Promise((resolve) => setTimeout(resolve, KILL_INTERVAL_MS));
    }
  } catch (error) {
    if (!settled.aborted)
      context.logger.warn({ err: error, path }, 'a read that nobody wants could not be stopped');
  }
}
