/*
 * One child process: started with its own environment and log file, waited for, stopped within a bound.
 * It is in a process group of its own, so that Ctrl-C reaches only this process, which stops its children in order.
 * On Linux with setpriv the child gets SIGTERM when this process ends, for any reason.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type ManagedProcess = {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process has ended, for any reason. */
  readonly exited: Promise<Exit>;
  isRunning(): boolean;
  /** SIGTERM, then SIGKILL after `graceMs`. Safe twice. */
  stop(graceMs?: number): Promise<Exit>;
  /** SIGKILL. */
  kill(): Promise<Exit>;
};

export type ProcessOptions = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to what every process inherits (PATH, HOME …); no other variable of this process is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly cwd?: string;
  /** This process may end before it, and ends it then by its own means. Default false. */
  readonly background?: boolean;
  /** Called as soon as the process runs, long before it is ready. */
  readonly onSpawn?: OnSpawn;
};

export type OnSpawn = (process: ManagedProcess) => void;

const STOP_GRACE_MS = 30_000;
const LAST_LINES = 15;
/** A log of this size is kept once as `….1` and starts empty again. */
const LOG_BYTES_MAX = 20_000_000;
const INHERITED = ['PATH', 'HOME', 'USER', 'LANG', 'TZ', 'TMPDIR', 'JAVA_HOME'];

const diesWithParent =
  process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'keep', 'true']).status === 0;
/**
 * Runs in the child once its parent-death signal is set. A parent that ended before that sends no signal; the child
 * then has another parent, and ends by itself.
 */
const UNLESS_ORPHANED = '[ "$PPID" = "$1" ] || exit; shift; exec "$@"';

/** Starts a process; its output is appended to `logFile`. Throws where the program cannot be started at all. */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess> {
  const { name, logFile } = options;
  mkdirSync(dirname(logFile), { recursive: true });
  boundLog(logFile);
  const log = openSync(logFile, 'a', 0o600);
  const command = diesWithParent ? 'setpriv' : options.command;
  const args = diesWithParent ? [...deathSignalArgs(), options.command, ...options.args] : options.args;
  let child: ChildProcess;
  try {
    child = spawn(command, args, {
      cwd: options.cwd,
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...inheritedEnvironment(), ...options.env },
    });
  } finally {
    closeSync(log);
  }
  const exited = new Promise<Exit>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  await once(child, 'spawn');
  if (options.background === true) child.unref();
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name}: ${options.command} was started without a process id`);
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const kill = async (): Promise<Exit> => {
    if (isRunning()) child.kill('SIGKILL');
    return exited;
  };
  let stopping = false;
  const stop = async (graceMs = STOP_GRACE_MS): Promise<Exit> => {
    // One SIGTERM only: a second one tells our services to end at once.
    if (stopping || !isRunning()) return exited;
    stopping = true;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    const exit = await exited;
    clearTimeout(timer);
    return exit;
  };
  const managed = { name, pid, logFile, exited, isRunning, stop, kill };
  options.onSpawn?.(managed);
  return managed;
}

/**
 * Waits until `probe` returns undefined; a text says what is still missing. Throws with the last log lines when the
 * process ends before, or after `timeoutMs`.
 */
export async function waitUntil(
  child: ManagedProcess,
  probe: () => Promise<string | undefined>,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let missing: string | undefined = 'no answer yet';
  while (Date.now() < deadline) {
    if (!child.isRunning()) {
      throw new Error(`${child.name} ended ${describeExit(await child.exited)}${withLastLines(child)}`);
    }
    missing = await probe();
    if (missing === undefined) return;
    await sleep(50);
  }
  throw new Error(
    `${child.name} is not ready after ${timeoutMs / 1000} s: ${missing}${withLastLines(child)}`,
  );
}

/** What `/ready` of a service lacks; undefined when it is ready. For `waitUntil`. */
export async function probeReady(adminPort: number): Promise<string | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}/ready`, {
      signal: AbortSignal.timeout(2_000),
    });
    const body = await response.text();
    return response.ok ? undefined : body;
  } catch (error) {
    return `no answer on /ready (${error instanceof Error ? error.message : String(error)})`;
  }
}

export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `with code ${code}` : `by ${signal}`;
}

/** The end of a process's log, for an error message. */
export function lastLogLines(logFile: string, lines = LAST_LINES): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

/** Keeps a log below its bound. Safe while it is written to, because it is open for appending. */
export function boundLog(logFile: string): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size < LOG_BYTES_MAX) return;
  copyFileSync(logFile, `${logFile}.1`);
  truncateSync(logFile);
}

function withLastLines(child: ManagedProcess): string {
  const lines = lastLogLines(child.logFile);
  return lines === '' ? ` (log: ${child.logFile})` : `; the end of ${child.logFile}:\n${lines}`;
}

/** Arguments of setpriv, to be followed by the command and its own arguments. */
function deathSignalArgs(): readonly string[] {
  return ['--pdeathsig', 'TERM', 'sh', '-c', UNLESS_ORPHANED, 'sh', String(process.pid)];
}

function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    INHERITED.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
