/*
 * A real HAProxy with the shipped configuration in front of two collectors, for tests. Its addresses come from the
 * environment, as in production.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './ports.js';
import { type RunningFront, untilForwarding } from './front.js';
import { startProcess } from './process.js';
import { REPO_ROOT } from './repo-root.js';

export const HAPROXY_CONFIGURATION = join(REPO_ROOT, 'deploy', 'haproxy', 'haproxy.cfg');

export type Backend = { readonly proxyPort: number; readonly adminPort: number };

const PROGRAMS = ['/usr/sbin/haproxy', '/usr/local/sbin/haproxy', '/opt/homebrew/bin/haproxy'];

/** Throws where it is not installed. */
export function haproxyProgram(): string {
  const program = PROGRAMS.find((path) => existsSync(path));
  if (program === undefined) throw new Error('HAProxy is not installed: apt-get install haproxy');
  return program;
}

/** The variables that the configuration reads. */
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

/** Resolves once it forwards requests. */
export async function startHaproxy(options: {
  readonly backends: readonly [Backend, Backend];
  readonly logFile: string;
  /** The shipped one where left out. */
  readonly configuration?: string;
}): Promise<RunningFront> {
  const port = await freePort();
  const child = await startProcess({
    name: 'haproxy',
    command: haproxyProgram(),
    args: ['-db', '-f', options.configuration ?? HAPROXY_CONFIGURATION],
    env: haproxyEnvironment(port, options.backends),
    logFile: options.logFile,
  });
  return untilForwarding(child, port);
}
