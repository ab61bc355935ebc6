/*
 * Starts a service of this repository by its name and waits until it is ready: as built (dist) or from its source. A
 * service gets the settings given here and none of this process's own.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './ports.js';
import {
  lastLogLines,
  type ManagedProcess,
  type OnSpawn,
  probeReady,
  startProcess,
  waitUntil,
} from './process.js';
import { REPO_ROOT } from './repo-root.js';

export type ServiceName = 'aggregator' | 'collector' | 'query' | 'registry' | 'store';
export type ServiceMode = 'built' | 'source';

export type ServiceOptions = {
  readonly name: ServiceName;
  /** `built` needs `npm run build` first. */
  readonly mode: ServiceMode;
  /** Settings by their names in the environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** The root of another release of this repository. */
  readonly root?: string;
  /** A free one where none is given. */
  readonly adminPort?: number;
  readonly readyTimeoutMs?: number;
  readonly onSpawn?: OnSpawn;
};

export type RunningService = ManagedProcess & { readonly adminPort: number };

const READY_TIMEOUT_MS = 60_000;
const COMMAND_TIMEOUT_MS = 120_000;

/** Starts a service; resolves once /ready answers 200. Throws with its last log lines where it does not. */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const adminPort = options.adminPort ?? (await freePort());
  const child = await startProcess({
    name: options.name,
    ...entry(options.name, options.mode, options.root),
    env: { ADMIN_PORT: String(adminPort), ...options.env },
    logFile: options.logFile,
    cwd: options.root ?? REPO_ROOT,
    ...(options.onSpawn === undefined ? {} : { onSpawn: options.onSpawn }),
  });
  try {
    await waitUntil(child, () => probeReady(adminPort), options.readyTimeoutMs ?? READY_TIMEOUT_MS);
  } catch (error) {
    await child.kill();
    throw error;
  }
  return { ...child, adminPort };
}

/** Runs a subcommand of a service, such as `prepare`, to its end. Throws with its last log lines when it fails. */
export async function runServiceCommand(
  options: Omit<ServiceOptions, 'adminPort' | 'readyTimeoutMs'>,
  args: readonly string[],
): Promise<void> {
  const { name, mode, env, logFile, root, onSpawn } = options;
  const { command, args: entryArgs } = entry(name, mode, root);
  const child = await startProcess({
    name: `${name} ${args.join(' ')}`,
    command,
    args: [...entryArgs, ...args],
    env,
    logFile,
    cwd: root ?? REPO_ROOT,
    ...(onSpawn === undefined ? {} : { onSpawn }),
  });
  const timer = setTimeout(() => void child.kill(), COMMAND_TIMEOUT_MS);
  const exit = await child.exited;
  clearTimeout(timer);
  if (exit.code !== 0) throw new Error(`${child.name} failed:\n${lastLogLines(logFile)}`);
}

/** Node.js options of each service, as its README states them. */
const NODE_ARGUMENTS: Readonly<Partial<Record<ServiceName, readonly string[]>>> = {
  aggregator: ['--max-semi-space-size=8'],
  collector: ['--max-semi-space-size=16'],
  store: ['--max-semi-space-size=4'],
};

function entry(
  name: ServiceName,
  mode: ServiceMode,
  root = REPO_ROOT,
): { command: string; args: readonly string[] } {
  const dir = join(root, 'services', name);
  const own = NODE_ARGUMENTS[name] ?? [];
  if (mode === 'source') {
    const loader = [...own, '--conditions=imscope-source', '--import', 'tsx'];
    return { command: process.execPath, args: [...loader, join(dir, 'src', 'main.ts')] };
  }
  const file = join(dir, 'dist', 'main.js');
  if (!existsSync(file)) throw new Error(`${name} is not built: run npm run build`);
  return { command: process.execPath, args: [...own, '--enable-source-maps', file] };
}
