/* The real store as a process for tests, with its own data directory, free ports, and its log. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const START_TIMEOUT_MS = 60_000;

export type RunningStore = {
  readonly url: string;
  readonly adminUrl: string;
  readonly dataDir: string;
  readonly process: ChildProcess;
  log(): string;
  /** Sends the signal and waits for the end. @returns the exit code, null after a signal */
  end(signal: NodeJS.Signals): Promise<number | null>;
};

/** A test, or the `{ after }` of a file: where cleanups are registered. */
export type Ending = { after(undo: () => unknown): void };

export type StoreEnvironment = Record<string, string | undefined>;

/** A new empty directory, removed after the test. */
export function temporaryDirectory(test: Ending): string {
  const directory = mkdtempSync(join(tmpdir(), 'imscope-store-test-'));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Starts the process without waiting for it to listen. */
export function spawnStore(environment: StoreEnvironment): { process: ChildProcess; log: () => string } {
  const child = spawn(process.execPath, ['--conditions=imscope-source', '--import', 'tsx', MAIN], {
    env: { PATH: process.env['PATH'], UV_THREADPOOL_SIZE: '16', STORE_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
  return { process: child, log: () => log };
}

/** Starts a store and waits until it listens; the process is ended after the test. */
export async function startStore(test: Ending, environment: StoreEnvironment = {}): Promise<RunningStore> {
  const dataDir = environment['STORE_DATA_DIR'] ?? temporaryDirectory(test);
  const { process: child, log } = spawnStore({ STORE_DATA_DIR: dataDir, ...environment });
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
    return child.exitCode;
  };
  test.after(() => end('SIGTERM'));
  const ports = await new Promise<{ port: number; adminPort: number }>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the store does not start:\n${log()}`)),
      START_TIMEOUT_MS,
    );
    const look = (): void => {
      const port = /"port":(\d+)/.exec(log())?.[1];
      const adminPort = /"adminPort":(\d+)/.exec(log())?.[1];
      if (port === undefined || adminPort === undefined) return;
      clearTimeout(timer);
      resolve({ port: Number(port), adminPort: Number(adminPort) });
    };
    child.stdout?.on('data', look);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the store ended with code ${code}:\n${log()}`));
    });
  });
  return {
    url: `http://127.0.0.1:${ports.port}`,
    adminUrl: `http://127.0.0.1:${ports.adminPort}`,
    dataDir,
    process: child,
    log,
    end,
  };
}

/** One request: status, headers, text. */
export async function ask(
  store: RunningStore,
  sql: string,
  options: { parameters?: Record<string, string>; headers?: Record<string, string>; method?: string } = {},
): Promise<{ status: number; code: string | null; text: string; headers: Headers }> {
  const query = new URLSearchParams(options.parameters);
  const get = options.method === 'GET';
  if (get) query.set('query', sql);
  const response = await fetch(`${store.url}/?${query.toString()}`, {
    method: options.method ?? 'POST',
    headers: options.headers ?? {},
    ...(get ? {} : { body: sql }),
  });
  return {
    status: response.status,
    code: response.headers.get('x-clickhouse-exception-code'),
    text: await response.text(),
    headers: response.headers,
  };
}

/** The answer's text without its last line break; fails on errors. */
export async function answerOf(
  store: RunningStore,
  sql: string,
  parameters: Record<string, string> = {},
): Promise<string> {
  const answer = await ask(store, sql, { parameters });
  if (answer.status !== 200) throw new Error(`${sql}: ${answer.text}`);
  return answer.text.replace(/\n$/, '');
}
