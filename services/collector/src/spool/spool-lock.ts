/*
 * The lock of a spool: the process that listens on a socket name made of the directory's device and inode. The kernel
 * gives a name to one process and frees it when that process ends, however it ends; so no stale lock is left. It does
 * not work across network namespaces (containers): there, give every collector its own volume.
 */
import { rm, stat, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class SpoolInUseError extends Error {}

/** @returns unlocks it. @throws SpoolInUseError where a running process has locked it */
export async function lockSpool(directory: string): Promise<() => Promise<void>> {
  const name = await lockName(directory);
  const server = (await listen(name)) ?? (await listenAfterDead(name));
  // For people, and for the error message of a second process.
  const holderFile = join(directory, 'lock');
  if (server === undefined) {
    const holder = (await readFile(holderFile, 'utf8').catch(() => '')).trim();
    throw new SpoolInUseError(
      `${directory} is held by process ${/^\d+$/.test(holder) ? holder : 'unknown'}: give every collector a SPOOL_DIR of its own`,
    );
  }
  await writeFile(holderFile, String(process.pid), { mode: 0o600 });
  return async () => {
    await rm(holderFile, { force: true });
    await new Promise((resolve) => server.close(resolve));
  };
}

/** By device and inode, so that two paths to one directory are one spool. On Linux an abstract name, without a file. */
async function lockName(directory: string): Promise<string> {
  const { dev, ino } = await stat(directory);
  const name = `imscope-spool-${dev}-${ino}`;
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), name);
}

/** Undefined where another process listens, or left its file. */
async function listen(name: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    // The lock does not keep the process running.
    server.unref().listen({ path: name }, () => resolve(server));
  });
}

/** On other systems than Linux a killed process leaves its file: without an answer there, it is removed. */
async function listenAfterDead(name: string): Promise<Server | undefined> {
  if (name.startsWith('\0') || (await answers(name))) return undefined;
  await rm(name, { force: true });
  return listen(name);
}

async function answers(name: string): Promise<boolean> {
  const socket = connect({ path: name });
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).then((answered) => {
    socket.destroy();
    return answered === true;
  });
}
