/*
 * Every statement holds one thread of the libuv pool while it runs, and Node.js starts with four: with four inserts
 * running, compression and files would stand still. The size is read from the environment before the first line of
 * ours runs, so the process starts itself again with a larger one. A launcher that sets UV_THREADPOOL_SIZE saves
 * that, and the second process.
 */
import { spawn } from 'node:child_process';

/** Threads beside those of the sessions: compression, name lookups. */
const SPARE_THREADS = 4;
/** Enough for all sessions the settings allow: 32 reads, 32 writes, 2 controls, and the spare ones. */
const THREADS = 72;

/** Throws where sessions would wait for threads. @param size of the pool, from the environment */
export function checkThreadPool(size: string | undefined, sessions: number): void {
  const needed = sessions + SPARE_THREADS;
  if (Number(size ?? 4) < needed)
    throw new Error(
      `UV_THREADPOOL_SIZE is ${size ?? 'not set (4)'}: ${sessions} sessions take at least ${needed}; raise it, or leave it unset`,
    );
}

/** Runs this program again with a pool that is large enough, for as long as this process lives. */
export function runWithThreads(process: NodeJS.Process): void {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env: { ...process.env, UV_THREADPOOL_SIZE: String(THREADS) },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // A process group of its own: Ctrl-C reaches it once, through us.
    detached: true,
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`store: cannot start itself again with more threads: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code) => process.exit(code ?? 1));
}

/** Stops this process when the one that started it with threads is gone, so that nothing keeps the data directory. */
export function stopWithParent(process: NodeJS.Process): void {
  process.channel?.unref();
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}
