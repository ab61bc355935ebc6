/* What a balancer in front of collectors is to tests, whichever it is: a process with an origin that passes on. */
import { type ManagedProcess, waitUntil } from './process.js';

export type RunningFront = ManagedProcess & { readonly origin: string };

const START_MS_MAX = 20_000;

/** Resolves once it passes requests on; ends it where that takes too long. */
export async function untilPassedOn(child: ManagedProcess, port: number): Promise<RunningFront> {
  const origin = `http://127.0.0.1:${port}`;
  try {
    await waitUntil(child, () => probePassedOn(origin), START_MS_MAX);
  } catch (error) {
    await child.kill();
    throw error;
  }
  return { ...child, origin };
}

/** Undefined once a collector behind `origin` answers: 401, for nobody has said who they are. */
export async function probePassedOn(origin: string): Promise<string | undefined> {
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
