/*
 * The private directory of a running store: bodies that wait for the engine, the pipes results come through, the
 * engine's configuration. In memory (/dev/shm) where there is such a place. Promise: a body's file is gone when
 * its request ends, and what a killed process left is removed at the next start.
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

export type SpoolFile = {
  readonly path: string;
  readonly bytes: number;
  write(chunk: Uint8Array): void;
  /** Ends writing; the file stays until it is removed. */
  close(): void;
  /** Removes the file. Safe twice. */
  remove(): void;
};

export type Spool = {
  readonly directory: string;
  readonly emptyDirectory: string;
  createFile(): SpoolFile;
  /** Path of a named pipe. The same pipe for the same name, under a path that was never given before. */
  pipe(name: string): string;
  /** Bytes of all files there now. */
  bytes(): number;
  /** Removes what earlier processes left. Only for the holder of the data directory. */
  removeLeftovers(): void;
  close(): void;
};

/** @param bytesMax of all files together; more is code 241 */
export function createSpool(spoolDir: string, dataDir: string, bytesMax: number): Spool {
  const owner = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16);
  const parent = existsSync(spoolDir) ? join(spoolDir, `imscope-store-${owner}`) : join(dataDir, 'spool');
  const own = `${process.pid}-${randomUUID().slice(0, 8)}`;
  const directory = join(parent, own);
  const emptyDirectory = join(directory, 'empty');
  mkdirSync(emptyDirectory, { recursive: true, mode: 0o700 });
  const pipes = new Map<string, string>();
  let pipesGiven = 0;
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
      pipesGiven += 1;
      const path = join(directory, `${name}-${pipesGiven}.pipe`);
      const before = pipes.get(name);
      // Node.js cannot make a named pipe; coreutils can, once a seat.
      if (before === undefined) execFileSync('mkfifo', ['-m', '600', path]);
      else renameSync(before, path);
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
 * Writes are synchronous: into memory 64 kB take 15 µs, less than a turn through the thread pool, whose threads
 * the engine's statements hold for seconds.
 */
function createFile(path: string, account: (more: number) => void): SpoolFile {
  const descriptor = openSync(path, 'wx', 0o600);
  let open = true;
  let there = true;
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
      account(chunk.length);
      bytes += chunk.length;
      for (let at = 0; at < chunk.length;) at += writeSync(descriptor, chunk, at);
    },
    close,
    remove() {
      close();
      if (there) {
        unlinkSync(path);
        account(-bytes);
      }
      there = false;
    },
  };
}
