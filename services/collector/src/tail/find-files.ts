/* Finds the files that the settings name, and a file that was renamed while no process followed it. */
import { glob, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inodeOf } from './followed-file.js';

/** Files followed at once; each takes a handle. */
export const FILES_MAX = 1_000;
/** Entries of a directory that are searched for a renamed file. */
const ENTRIES_MAX = 10_000;
const PATTERN = /[*?[{]/;
/** Rotation compresses files that were read before; their bytes are no lines. */
const COMPRESSED = /\.(?:gz|bz2|xz|zst|lz4|zip)$/;

/** Inode → path of every file; of one with several names the first. */
export async function findFiles(patterns: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const pattern of patterns) {
    for await (const path of pathsOf(pattern)) {
      if (COMPRESSED.test(path) || found.size >= FILES_MAX) continue;
      const inode = await inodeAt(path);
      if (inode !== undefined && !found.has(inode)) found.set(inode, path);
    }
  }
  return found;
}

/** The new path of a file that is no longer at `path`, in the same directory; undefined where it is not there. */
export async function findRenamed(path: string, inode: string): Promise<string | undefined> {
  const directory = dirname(path);
  const names = await readdir(directory).catch(() => []);
  for (const name of names.slice(0, ENTRIES_MAX)) {
    if (COMPRESSED.test(name)) continue;
    const beside = join(directory, name);
    if ((await inodeAt(beside)) === inode) return beside;
  }
  return undefined;
}

async function* pathsOf(pattern: string): AsyncGenerator<string> {
  if (PATTERN.test(pattern)) yield* glob(pattern);
  else yield pattern;
}

/** Undefined where there is no file. */
async function inodeAt(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    return found.isFile() ? inodeOf(found) : undefined;
  } catch {
    return undefined;
  }
}
