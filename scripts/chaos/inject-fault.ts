/*
 * Injects disk faults into a running process and removes them again: system calls that fail or are late (strace), and
 * files that cannot grow (RLIMIT_FSIZE). Linux only; tracing another process needs root, or
 * kernel.yama.ptrace_scope = 0. The process itself is not changed.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export type Fault = { end(): Promise<void> };

/** The fault of fsync and fdatasync: they fail with EIO, or begin `lateS` seconds late. */
export type SyncFault = { readonly error: 'EIO' } | { readonly lateS: number };

const ATTACH_MS_MAX = 10_000;

/** Every fsync and fdatasync of the process fails, or is late. Throws with strace's output where it cannot attach. */
export async function injectSyncFault(pid: number, fault: SyncFault): Promise<Fault> {
  const how = 'error' in fault ? `error=${fault.error}` : `delay_enter=${fault.lateS}s`;
  return attachStrace(pid, 'fsync,fdatasync', how);
}

/** Every write at a place of a file fails with ENOSPC; sockets and logs are written otherwise. */
export async function injectWriteFault(pid: number): Promise<Fault> {
  return attachStrace(pid, 'pwrite64,pwritev,pwritev2', 'error=ENOSPC');
}

async function attachStrace(pid: number, calls: string, how: string): Promise<Fault> {
  const args = [
    '-f',
    '-p',
    String(pid),
    '-o',
    '/dev/null',
    '-e',
    `trace=${calls}`,
    '-e',
    `inject=${calls}:${how}`,
  ];
  const strace = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  // Rejects where there is no strace.
  await once(strace, 'spawn');
  const closed = once(strace, 'close');
  let output = '';
  const attached = new Promise<void>((resolve) => {
    strace.stderr.on('data', (text: Buffer) => {
      output = `${output}${text.toString()}`.slice(-4_000);
      if (output.includes(' attached')) resolve();
    });
  });
  const tooLong = sleep(ATTACH_MS_MAX, undefined, { ref: false });
  await Promise.race([attached, closed, tooLong]);
  const isAttached = output.includes(' attached') && strace.exitCode === null;
  const end = async (): Promise<void> => {
    strace.kill(isAttached ? 'SIGINT' : 'SIGKILL');
    await closed;
  };
  if (isAttached) return { end };
  await end();
  throw new Error(
    `strace could not attach to process ${pid}: run as root, or set kernel.yama.ptrace_scope=0. Its output: ${output}`,
  );
}

/**
 * No file of the process grows beyond this many bytes: a write is cut there and the next one fails, as on a full disk.
 * Existing data is unchanged, and new files may be created.
 */
export async function limitFileSize(pid: number, bytes: number): Promise<Fault> {
  await setFileSizeLimit(pid, String(bytes));
  return { end: () => setFileSizeLimit(pid, 'unlimited') };
}

/** Sets only the soft limit, which can be raised again. */
async function setFileSizeLimit(pid: number, limit: string): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(pid), `--fsize=${limit}:`]);
}
