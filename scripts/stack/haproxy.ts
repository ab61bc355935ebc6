/*
 * A real HAProxy with the configuration that is shipped, in front of two collectors: its addresses come from the
 * environment, as an operator would give them. For tests.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './ports.js';
import { type ManagedProcess, startProcess, waitUntil } from './process.js';
import { REPO_ROOT } from './repo-root.js';

export const HAPROXY_CONFIGURATION = join(REPO_ROOT, 'deploy', 'haproxy', 'haproxy.cfg');

export type Backend = { readonly proxyPort: number; readonly adminPort: number };

export type RunningHaproxy = ManagedProcess & { readonly origin: string };

const PROGRAMS = ['/usr/sbin/haproxy', '/usr/local/sbin/haproxy', '/opt/homebrew/bin/haproxy'];
const START_MS_MAX = 20_000;

/** Throws where it is not installed: a test then fails, and says why. */
export function haproxyProgram(): string {
  const program = PROGRAMS.find((path) => existsSync(path));
  if (program === undefined) throw new Error('HAProxy is not installed: apt-get install haproxy');
  return program;
}

/** What the configuration asks of its environment. */
export function haproxyEnvironment(
  port: number,
  [first, second]: readonly [Backend, Backend],
): Record<string, string> {
  return {
    HAPROXY_BIND: `127.0.0.1:${port}`,
    COLLECTOR_1: `127.0.0.1:${first.proxyPort}`,
    COLLECTOR_1_ADMIN_PORT: String(first.adminPort),
    COLLECTOR_2: `127.0.0.1:${second.proxyPort}`,
    COLLECTOR_2_ADMIN_PORT: String(second.adminPort),
  };
}

/** Resolves once it passes requests on. */
export async function startHaproxy(options: {
  readonly backends: readonly [Backend, Backend];
  readonly logFile: string;
  /** The shipped one where left out. */
  readonly configuration?: string;
}): Promise<RunningHaproxy> {
  const port = await freePort();
  const child = await startProcess({
    name: 'haproxy',
    command: haproxyProgram(),
    args: ['-db', '-f', options.configuration ?? HAPROXY_CONFIGURATION],
    env: haproxyEnvironment(port, options.backends),
    logFile: options.logFile,
  });
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
