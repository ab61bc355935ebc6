/* A server of tests that keeps its address and data over stops, kills and restarts. */
import { type ManagedProcess, waitUntil } from './process.js';

export type Restartable = {
  /** The process as it is now: another one after `restart`. */
  process(): ManagedProcess;
  stop(): Promise<void>;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data, after `stop`, `kill` or while it runs. */
  restart(): Promise<void>;
};

const STOP_GRACE_MS = 10_000;
const START_TIMEOUT_MS = 30_000;

/**
 * Starts a server and waits until `probe` finds nothing missing.
 * @throws Error with its last log lines where it does not become ready
 */
export async function startRestartable(
  spawn: () => Promise<ManagedProcess>,
  probe: () => Promise<string | undefined>,
): Promise<Restartable> {
  const start = async (): Promise<ManagedProcess> => {
    const child = await spawn();
    try {
      await waitUntil(child, probe, START_TIMEOUT_MS);
    } catch (error) {
      await child.kill();
      throw error;
    }
    return child;
  };
  let current = await start();
  return {
    process: () => current,
    stop: async () => {
      await current.stop(STOP_GRACE_MS);
    },
    kill: async () => {
      await current.kill();
    },
    restart: async () => {
      await current.stop(STOP_GRACE_MS);
      current = await start();
    },
  };
}
