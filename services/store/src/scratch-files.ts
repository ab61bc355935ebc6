/*
 * The scratch directory of a running store: files with the data of inserts, named pipes for results, and the engine's
 * configuration. It is in memory (/dev/shm) where that exists. The file of a body is removed when its request ends;
 * what a killed process left is removed at the next start.
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { storeError } from './store-error.js';

export type ScratchFile = {
  readonly path: string;
  readonly bytes: number;
  write(chunk: Uint8Array): void;
  /** Closes the file; it exists until it is removed. */
  close(): void;
  /** Removes the file. A second call does nothing. */
  remove(): void;
};

export type ScratchFiles = {
  readonly directory: string;
  readonly emptyDirectory: string;
  createFile(): ScratchFile;
  /** A new path for the named pipe of this name. The pipe itself is reused: it is renamed to the new path. */
  pipe(name: string): string;
  /** Bytes of all files that exist now. */
  bytes(): number;
  /** Removes what earlier processes left. Call it only while this process holds the data directory. */
  removeLeftovers(): void;
  close(): void;
};

/** @param bytesMax bound of all files together; a write beyond it throws code 241 */
export function createScratchFiles(spoolDir: string, dataDir: string, bytesMax: number): ScratchFiles {
  const dataDirHash = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16);
  const parent = existsSync(spoolDir)
    ? join(spoolDir, `imscope-store-${dataDirHash}`)
    : join(dataDir, 'spool');
  const own = `${process.pid}-${randomUUID().slice(0, 8)}`;
  const directory = join(parent, own);
  const emptyDirectory = join(directory, 'empty');
  mkdirSync(emptyDirectory, { recursive: true, mode: 0o700 });
  const pipes = new Map<string, string>();
  let pathsUsed = 0;
  let bytes = 0;
  return {
    directory,
    emptyDirectory,
    bytes: () => bytes,
    createFile: () =>
      createFile(join(directory, randomUUID()), (more) => {
        if (more > 0 && bytes + more > bytesMax)
          throw storeError(
            241,
            `Memory limit exceeded: bodies of ${bytes} bytes wait already, allowed are ${bytesMax}; try again`,
          );
        bytes += more;
      }),
    pipe(name) {
      pathsUsed += 1;
      const path = join(directory, `${name}-${pathsUsed}.pipe`);
      const previousPath = pipes.get(name);
      // Node.js has no call for named pipes, so coreutils creates each of them once.
      if (previousPath === undefined) execFileSync('mkfifo', ['-m', '600', path]);
      else renameSync(previousPath, path);
      pipes.set(name, path);
      return path;
    },
    removeLeftovers() {
      for (const name of readdirSync(parent))
        if (name !== own) rmSync(join(parent, name), { recursive: true, force: true });
    },
    close() {
      rmSync(directory, { recursive: true, force: true });
      if (readdirSync(parent).length === 0) rmdirSync(parent);
    },
  };
}

/**
 * Writes are synchronous: 64 kB into memory take 15 µs. An asynchronous write would need a thread of the libuv pool,
 * which the engine's statements occupy for seconds.
 */
function createFile(path: string, reserve: (more: number) => void): ScratchFile {
  const descriptor = openSync(path, 'wx', 0o600);
  let open = true;
  let exists = true;
  let bytes = 0;
  const close = (): void => {
    if (open) closeSync(descriptor);
    open = false;
  };
  return {
    path,
    get bytes() {
      return bytes;
    },
    write(chunk) {
      reserve(chunk.length);
      bytes += chunk.length;
      for (let at = 0; at < chunk.length;) at += writeSync(descriptor, chunk, at);
    },
    close,
    remove() {
      close();
      if (exists) {
        unlinkSync(path);
        reserve(-bytes);
      }
      exists = false;
    },
  };
}
