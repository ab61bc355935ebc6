/* A load balancer in front of collectors, for tests: a process with an origin that forwards requests. */
import { type ManagedProcess, waitUntil } from './process.js';

export type RunningFront = ManagedProcess & { readonly origin: string };

const START_MS_MAX = 20_000;

/** Resolves once it forwards requests; ends it where that takes too long. */
export async function untilForwarding(child: ManagedProcess, port: number): Promise<RunningFront> {
  const origin = `http://127.0.0.1:${port}`;
  try {
    await waitUntil(child, () => probeForwarding(origin), START_MS_MAX);
  } catch (error) {
    await child.kill();
    throw error;
  }
  return { ...child, origin };
}

/** Undefined once a collector behind `origin` answers 401 to a request without a token. */
export async function probeForwarding(origin: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${origin}/v1/request-logs`, {
      method: 'POST',
      signal: AbortSignal.timeout(2_000),
    });
    await response.arrayBuffer();
    return response.status === 401 ? undefined : `answered ${response.status}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
