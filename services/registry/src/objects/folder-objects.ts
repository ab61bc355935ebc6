/*
 * Objects as files of a folder, readable by the registry's user alone. A file is written under another name, made durable,
 * and renamed, so that a key holds a complete object or none.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import {
  checkObjectKey,
  LISTED_OBJECTS_MAX,
  OBJECT_BYTES_MAX,
  type ObjectInfo,
  type ObjectStore,
  readWithin,
  withinBytes,
} from './object-store.js';
import { openLinkSigner } from './signed-link.js';

/** Names that begin with a dot are no keys. */
const UNFINISHED_DIR = '.unfinished';
const LINK_KEY_FILE = '.link-key';
const FILE_MODE = 0o600;
const DIR_MODE = 0o700;
/** A delete may remove the emptied directory between its creation and the rename into it. */
const RENAME_TRIES = 10;

export type FolderObjects = ObjectStore & {
  /** Whether a link is one of `signedUrl`, for this key, and still valid. */
  isSigned(
    key: string,
    link: { readonly expiresMs: number; readonly signature: string },
    nowMs: number,
  ): boolean;
};

/** @param path made where it is missing */
export async function openFolderObjects(path: string): Promise<FolderObjects> {
  const unfinished = join(path, UNFINISHED_DIR);
  await mkdir(unfinished, { recursive: true, mode: DIR_MODE });
  const signer = await openLinkSigner(join(path, LINK_KEY_FILE));
  /** Names of the files that are written now: they are not cut off, whatever their age by another clock. */
  const inProgress = new Set<string>();
  const fileOf = (key: string): string => {
    checkObjectKey(key);
    return join(path, key);
  };
  const write = async (key: string, content: AsyncIterable<Uint8Array>): Promise<number> => {
    const file = fileOf(key);
    const name = randomUUID();
    const building = join(unfinished, name);
    inProgress.add(name);
    try {
      const byteCount = await writeDurably(building, content);
      await moveTo(building, file, path);
      return byteCount;
    } catch (error) {
      await rm(building, { force: true });
      throw error;
    } finally {
      inProgress.delete(name);
    }
  };
  const getStream = async (key: string): Promise<Readable | undefined> => openStream(fileOf(key));
  return {
    async put(key, content) {
      await write(key, Readable.from([content]));
    },
    putStream: async (key, content, byteCountMax) => write(key, withinBytes(key, content, byteCountMax)),
    async get(key) {
      const stream = await getStream(key);
      return stream === undefined ? undefined : readWithin(key, stream, OBJECT_BYTES_MAX);
    },
    getStream,
    async delete(key) {
      await deleteFile(fileOf(key), path);
    },
    list: (prefix) => listFiles(path, prefix),
    signedUrl: async (key, { nowMs, validMs }) => signer.link(key, nowMs + validMs),
    deleteUnfinished: (beforeMs) => deleteOlder(unfinished, beforeMs, inProgress),
    check: async () => [],
    close: () => undefined,
    isSigned: (key, link, nowMs) => signer.isValid(key, link, nowMs),
  };
}

async function writeDurably(file: string, content: AsyncIterable<Uint8Array>): Promise<number> {
  const handle = await open(file, 'wx', FILE_MODE);
  try {
    let byteCount = 0;
    for await (const chunk of content) {
      await handle.writeFile(chunk);
      byteCount += chunk.byteLength;
    }
    await handle.sync();
    return byteCount;
  } finally {
    await handle.close();
  }
}

async function moveTo(building: string, file: string, root: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    await mkdir(dirname(file), { recursive: true, mode: DIR_MODE });
    try {
      await rename(building, file);
      break;
    } catch (error) {
      if (!isMissing(error) || tries === RENAME_TRIES) throw error;
    }
  }
  // New directories on the way are entries of the one above.
  for (let dir = dirname(file); ; dir = dirname(dir)) {
    await syncDirectory(dir);
    if (dir === root) return;
  }
}

async function deleteFile(file: string, root: string): Promise<void> {
  await rm(file, { force: true });
  await syncDirectory(dirname(file));
  for (let dir = dirname(file); dir !== root; dir = dirname(dir)) {
    try {
      await rmdir(dir);
    } catch (error) {
      if (isMissing(error)) continue;
      // Not empty.
      return;
    }
    await syncDirectory(dirname(dir));
  }
}

async function syncDirectory(dir: string): Promise<void> {
  try {
    const handle = await open(dir, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    // Another delete removed the emptied directory.
    if (!isMissing(error)) throw error;
  }
}

async function openStream(file: string): Promise<Readable | undefined> {
  try {
    const handle = await open(file, 'r');
    if ((await handle.stat()).isFile()) return createReadStream(file, { fd: handle });
    await handle.close();
    return undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function* listFiles(root: string, prefix: string): AsyncGenerator<ObjectInfo> {
  const files = await readdir(root, { recursive: true, withFileTypes: true });
  if (files.length > LISTED_OBJECTS_MAX)
    throw new Error(`more than ${LISTED_OBJECTS_MAX} objects in ${root}`);
  const keys = files
    .filter((file) => file.isFile())
    .map((file) => relative(root, join(file.parentPath, file.name)).split(sep).join('/'))
    .filter((key) => !key.startsWith('.') && key.startsWith(prefix))
    .toSorted((one, other) => (one < other ? -1 : 1));
  for (const key of keys) {
    const found = await stat(join(root, key)).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
    // Deleted since the directory was read.
    if (found === undefined) continue;
    yield { key, byteCount: found.size, modifiedMs: found.mtimeMs };
  }
}

async function deleteOlder(dir: string, beforeMs: number, kept: ReadonlySet<string>): Promise<number> {
  let deleted = 0;
  for (const name of await readdir(dir)) {
    if (kept.has(name)) continue;
    const file = join(dir, name);
    const found = await stat(file).catch(() => undefined);
    if (found === undefined || found.mtimeMs >= beforeMs) continue;
    await rm(file, { force: true });
    deleted += 1;
  }
  return deleted;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
