/*
 * The place of objects: a bucket of COS (bucket-objects.ts) or a local folder (folder-objects.ts). Both behave the same,
 * which one set of tests shows.
 */
import type { Readable } from 'node:stream';

export type ObjectInfo = {
  readonly key: string;
  readonly byteCount: number;
  readonly modifiedMs: number;
};

export type ObjectStore = {
  /** Replaces what is under the key. Durable and complete when it resolves; before that, the old object or none. */
  put(key: string, content: Uint8Array): Promise<void>;
  /**
   * Like `put`, of content that is not in memory.
   * @returns its bytes
   * @throws ObjectTooLarge after more than `byteCountMax`; nothing is left under the key
   */
  putStream(key: string, content: AsyncIterable<Uint8Array>, byteCountMax: number): Promise<number>;
  /** Undefined where there is none. Throws where it is larger than `OBJECT_BYTES_MAX`. */
  get(key: string): Promise<Buffer | undefined>;
  /** Undefined where there is none. The caller reads it to its end or destroys it. */
  getStream(key: string): Promise<Readable | undefined>;
  /** Succeeds where there is none. */
  delete(key: string): Promise<void>;
  /** All objects whose key begins with `prefix`, in the order of keys. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** A link to read the object with, valid for `validMs` from `nowMs`. Anybody who has it can read the object. */
  signedUrl(key: string, options: { readonly nowMs: number; readonly validMs: number }): Promise<string>;
  /** Deletes uploads that were begun before `beforeMs` and have not completed. @returns how many */
  deleteUnfinished(beforeMs: number): Promise<number>;
  /**
   * Before the first use.
   * @returns what could not be checked, one sentence each, for the log and for `/ready`
   * @throws SettingsError where objects would outlive their deletion or their term
   */
  check(): Promise<readonly string[]>;
  close(): void;
};

/** Of objects that are read into memory: certificates are below 100 kB. */
export const OBJECT_BYTES_MAX = 8 * 1024 * 1024;
/** Objects of one listing; at the bound it fails rather than leaves some out. */
export const LISTED_OBJECTS_MAX = 1_000_000;

/** The first part of a key, by what the object is: terms of the bucket's rules are by it. */
export const OBJECT_ROOMS = {
  certificates: 'certificates/',
  exports: 'exports/',
  backups: 'backups/',
} as const;

const KEY = /^[a-z0-9_-][\w.-]*(?:\/[\w-][\w.-]*)*$/;
const KEY_BYTES_MAX = 512;

/**
 * Refuses keys that a file system or a bucket reads otherwise than as plain names: empty parts, parts that begin with a
 * dot, other characters than letters, digits, dot, dash and underscore.
 */
export function checkObjectKey(key: string): void {
  if (key.length <= KEY_BYTES_MAX && KEY.test(key)) return;
  throw new Error(
    `object key ${JSON.stringify(key.slice(0, KEY_BYTES_MAX))} is not allowed: give parts of letters, digits, ".", "-" and "_" with "/" between, none beginning with ".", ${KEY_BYTES_MAX} bytes at most`,
  );
}

export class ObjectTooLarge extends Error {
  constructor(key: string, byteCountMax: number) {
    super(`object ${key} is larger than ${byteCountMax} bytes`);
    this.name = 'ObjectTooLarge';
  }
}

/** Passes chunks on, and throws ObjectTooLarge once they are more than allowed. */
export async function* withinBytes(
  key: string,
  content: AsyncIterable<Uint8Array>,
  byteCountMax: number,
): AsyncGenerator<Uint8Array> {
  let byteCount = 0;
  for await (const chunk of content) {
    byteCount += chunk.byteLength;
    if (byteCount > byteCountMax) throw new ObjectTooLarge(key, byteCountMax);
    yield chunk;
  }
}

/** Reads a stream into memory. Destroys it and throws ObjectTooLarge once it is more than allowed. */
export async function readWithin(key: string, stream: Readable, byteCountMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of withinBytes(key, stream, byteCountMax)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
