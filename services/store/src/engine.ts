/*
 * chDB: opens the data directory, opens sessions on it, runs statements in them. Only asynchronous calls are used;
 * each occupies one thread of the libuv pool while it runs (see thread-pool.ts). queryStream is not used: it plans
 * the query on the event loop (measured: 4 s blocked) and writes every chunk as a separate document, which breaks
 * JSON and Parquet.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Session, drainPending } from 'chdb';
import { asStoreError } from './store-error.js';

export type EngineSession = {
  /** Runs a statement. Its output, if any, is in `format`. */
  run(sql: string, format?: string): Promise<{ output: Buffer; resultRows: number; resultBytes: number }>;
  /** Runs a statement that writes rows; its output is dropped. Rows and bytes include those written by views. */
  write(sql: string): Promise<{ writtenRows: number; writtenBytes: number }>;
  close(): void;
};

export type Engine = {
  readonly version: string;
  readonly timezone: string;
  openSession(): EngineSession;
  /** Waits for statements that still run in closed sessions, then releases the data directory. */
  close(): Promise<void>;
};

/** Pause between two attempts to lock the data directory. */
const LOCK_RETRY_MS = 250;

/** Throws where another process holds `dataDir`. @param connectionArgs see writeEngineConfig */
export async function openEngine(
  dataDir: string,
  connectionArgs: readonly string[],
  lockWaitMs: number,
): Promise<Engine> {
  const native = loadNative();
  const first = await openFirst(dataDir, connectionArgs, lockWaitMs);
  const openSession = (): EngineSession => engineSession(new Session(dataDir, { connectionArgs }), native);
  const facts = (await first.queryAsync('SELECT version(), timezone()', { format: 'TSV' })).text();
  const [version = 'unknown', timezone = 'UTC'] = facts.trim().split('\t');
  return {
    version,
    timezone,
    openSession,
    async close() {
      first.close();
      await drainPending();
    },
  };
}

async function openFirst(
  dataDir: string,
  connectionArgs: readonly string[],
  lockWaitMs: number,
): Promise<Session> {
  for (let waitedMs = 0; ; waitedMs += LOCK_RETRY_MS) {
    try {
      return new Session(dataDir, { connectionArgs });
    } catch (error) {
      if (waitedMs >= lockWaitMs) {
        throw new Error(
          `The data directory ${dataDir} cannot be opened. Most likely another process holds it (the engine's error ` +
            `76 above): stop that one, or give another STORE_DATA_DIR. Waited ${lockWaitMs / 1000} s`,
          { cause: error },
        );
      }
      await sleep(LOCK_RETRY_MS);
    }
  }
}

function engineSession(session: Session, native: Native): EngineSession {
  return {
    async run(sql, format = 'Null') {
      try {
        const result = await session.queryAsync(sql, { format });
        const bytes = result.bytes();
        const output = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        return { output, resultRows: result.rowsRead, resultBytes: result.bytesRead };
      } catch (error) {
        throw asStoreError(error);
      }
    },
    async write(sql) {
      try {
        // The binding joins its two arguments with a line break and runs them as one statement.
        const firstSpace = sql.indexOf(' ');
        const rest = Buffer.from(sql.slice(firstSpace + 1), 'utf8');
        const result = await native.InsertRawAsyncConnection(
          session.connection,
          sql.slice(0, firstSpace),
          rest,
          false,
        );
        return { writtenRows: result.rowsWritten, writtenBytes: result.bytesWritten };
      } catch (error) {
        throw asStoreError(error);
      }
    },
    close: () => session.close(),
  };
}

/** The call of chDB's native binding that returns how many rows a statement wrote; `Session` has none. */
type Native = {
  InsertRawAsyncConnection(
    connection: unknown,
    prefix: string,
    rest: Buffer,
    countLines: boolean,
  ): Promise<{ rowsWritten: number; bytesWritten: number }>;
};

function loadNative(): Native {
  const require = createRequire(import.meta.url);
  const loader: unknown = require(join(dirname(require.resolve('chdb')), 'dist', 'loader.js'));
  const native = hasLoadNative(loader) ? loader.loadNative() : undefined;
  if (!isNative(native))
    throw new Error(
      'This version of chdb has no InsertRawAsyncConnection: install chdb 3.4 as in package-lock.json',
    );
  return native;
}

function hasLoadNative(value: unknown): value is { loadNative: () => unknown } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'loadNative' in value &&
    typeof value.loadNative === 'function'
  );
}

function isNative(value: unknown): value is Native {
  return (
    typeof value === 'object' &&
    value !== null &&
    'InsertRawAsyncConnection' in value &&
    typeof value.InsertRawAsyncConnection === 'function'
  );
}
