/*
 * Runs a service's own maintenance command as a child, with our settings, streams and signals; its exit code is
 * ours. A service's code is never imported here.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Screen } from './progress.js';
import { UsageError } from './usage-error.js';

export type ServiceName = 'aggregator' | 'collector' | 'query' | 'store';

/** @throws UsageError where the service is not built */
export async function runServiceCommand(
  service: ServiceName,
  args: readonly string[],
  stderr: Screen,
): Promise<number> {
  const main = fileURLToPath(new URL(`../../${service}/dist/main.js`, import.meta.url));
  if (!existsSync(main)) {
    throw new UsageError(`the ${service} is not built yet: run "npm run build" in the repository first`);
  }
  const child = spawn(process.execPath, [main, ...args], { stdio: 'inherit' });
  // Ctrl-C reaches the child by itself, for it is in our process group.
  const [code, signal]: unknown[] = await once(child, 'exit');
  if (typeof code === 'number') return code;
  stderr.write(`${args[0] ?? service} was ended by ${String(signal)}\n`);
  return 1;
}
