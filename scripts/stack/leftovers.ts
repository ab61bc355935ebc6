/*
 * Processes that a killed start left running. Each child has a file with its process id; the next start finds those
 * that still run, and stops them. A process id that now belongs to another program is left alone: the command line
 * must contain the text that was saved with the id.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type Leftover = { readonly name: string; readonly pid: number };

const STOP_GRACE_MS = 25_000;

/** @param commandPart a part of the command line that only ours has, such as a path of this repository */
export function rememberProcess(runDir: string, name: string, pid: number, commandPart: string): void {
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(runDir, `${name}.pid`), `${pid}\n${commandPart}\n`, { mode: 0o600 });
}

export function forgetProcess(runDir: string, name: string): void {
  rmSync(join(runDir, `${name}.pid`), { force: true });
}

/** The process saved under `name` while it runs and its command line matches; never this process itself. */
export function findRemembered(runDir: string, name: string): Leftover | undefined {
  let written: string;
  try {
    written = readFileSync(join(runDir, `${name}.pid`), 'utf8');
  } catch {
    return undefined;
  }
  const [pidText = '', commandPart = ''] = written.split('\n');
  const pid = Number(pidText);
  return Number.isInteger(pid) &&
    pid !== process.pid &&
    commandPart !== '' &&
    commandLine(pid).includes(commandPart)
    ? { name, pid }
    : undefined;
}

/** Stops what an earlier start left running: SIGTERM, then SIGKILL after a bound. Returns what was stopped. */
export async function stopLeftovers(runDir: string): Promise<Leftover[]> {
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  const names = readdirSync(runDir).flatMap((file) =>
    file.endsWith('.pid') ? [file.slice(0, -'.pid'.length)] : [],
  );
  const leftovers = names.flatMap((name) => findRemembered(runDir, name) ?? []);
  for (const { pid } of leftovers) signal(pid, 'SIGTERM');
  const deadline = Date.now() + STOP_GRACE_MS;
  while (leftovers.some(({ name }) => findRemembered(runDir, name) !== undefined)) {
    if (Date.now() > deadline) for (const { pid } of leftovers) signal(pid, 'SIGKILL');
    await sleep(100);
  }
  for (const { name } of leftovers) forgetProcess(runDir, name);
  return leftovers;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

/** Empty where no such process runs. A zombie has no command line either. */
function commandLine(pid: number): string {
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout ?? '';
}
