/*
 * The size of the libuv thread pool. Every running statement occupies one thread, and Node.js starts with four: four
 * running inserts would block compression and file access. Node.js reads the size from the environment before our
 * code runs, so the process starts itself again with a larger pool. A launcher that sets UV_THREADPOOL_SIZE avoids
 * the second process.
 */
import { spawn } from 'node:child_process';

/** Threads besides those of the sessions, for compression and name lookups. */
const SPARE_THREADS = 4;
/**
 * Enough for 32 reads, 32 writes, 2 control sessions and the spare threads. Larger settings need UV_THREADPOOL_SIZE.
 */
const THREADS = 72;

/** Throws where sessions would wait for threads. @param size of the pool, from the environment */
export function checkThreadPool(size: string | undefined, sessions: number): void {
  const needed = sessions + SPARE_THREADS;
  if (Number(size ?? 4) < needed)
    throw new Error(
      `UV_THREADPOOL_SIZE is ${size ?? 'not set (4)'}: ${sessions} sessions take at least ${needed}; raise it, or leave it unset`,
    );
}

/** Runs this program again with a large enough pool; the child ends when this process ends. */
export function runWithThreads(process: NodeJS.Process): void {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env: { ...process.env, UV_THREADPOOL_SIZE: String(THREADS) },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // Its own process group: Ctrl-C reaches it once, through this process.
    detached: true,
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`store: cannot start itself again with more threads: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code) => process.exit(code ?? 1));
}

/** Stops this process when its parent has ended, so that the data directory is released. */
export function stopWithParent(process: NodeJS.Process): void {
  process.channel?.unref();
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}
