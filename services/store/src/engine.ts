/*
 * chDB: opening the data directory, sessions on it, statements in them. Only asynchronous calls, each takes one
 * thread of the libuv pool while it runs (see thread-pool.ts). Not used: queryStream, which plans the query on the
 * event loop (measured: 4 s blocked) and writes every chunk as a document of its own (JSON, Parquet break).
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Session, drainPending } from 'chdb';
import { asStoreError } from './store-error.js';

export type EngineSession = {
  /** Runs a statement; its output, if any, in `format`. */
  run(sql: string, format?: string): Promise<{ output: Buffer; resultRows: number; resultBytes: number }>;
  /** Runs a statement that writes rows; its output is lost. Rows and bytes include those written by views. */
  write(sql: string): Promise<{ writtenRows: number; writtenBytes: number }>;
  close(): void;
};

export type Engine = {
  readonly version: string;
  readonly timezone: string;
  openSession(): EngineSession;
  /** Waits for whatever still runs in closed sessions, then lets go of the data directory. */
  close(): Promise<void>;
};

/** Between two tries to get the lock of the data directory. */
const LOCK_RETRY_MS = 250;

/** Opens `dataDir`. Throws where another process holds it. @param connectionArgs see writeEngineConfig */
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
        // The binding puts a line break between the two parts and runs them as one text.
        const cut = sql.indexOf(' ');
        const rest = Buffer.from(sql.slice(cut + 1), 'utf8');
        const result = await native.InsertRawAsyncConnection(
          session.connection,
          sql.slice(0, cut),
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

/** The one call of the binding beneath `Session` that tells how many rows a statement wrote. */
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
