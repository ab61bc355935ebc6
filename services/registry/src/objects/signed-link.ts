/*
 * Links to objects of a folder: a path with the time it ends and a signature of both (HMAC-SHA-256). The key that signs is
 * in a file beside the objects, made at first; without it, links that were given out end.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';

/** Where the registry's HTTP serves them; the object's key follows. */
export const SIGNED_OBJECTS_PATH = '/v1/registry/objects/';

type Link = { readonly expiresMs: number; readonly signature: string };

export type LinkSigner = {
  /** A path with its query, for the registry's own address. */
  link(key: string, expiresMs: number): string;
  isValid(key: string, link: Link, nowMs: number): boolean;
};

const KEY_BYTES = 32;

export async function openLinkSigner(keyFile: string): Promise<LinkSigner> {
  const secret = await readOrMakeKey(keyFile);
  const sign = (key: string, expiresMs: number): Buffer =>
    createHmac('sha256', secret).update(`${expiresMs}\n${key}`).digest();
  return {
    link(key, expiresMs) {
      const signature = sign(key, expiresMs).toString('hex');
      return `${SIGNED_OBJECTS_PATH}${key}?expires=${expiresMs}&signature=${signature}`;
    },
    isValid(key, { expiresMs, signature }, nowMs) {
      const given = Buffer.from(signature, 'hex');
      const right = sign(key, expiresMs);
      return given.byteLength === right.byteLength && timingSafeEqual(given, right) && nowMs < expiresMs;
    },
  };
}

async function readOrMakeKey(file: string): Promise<Buffer> {
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(randomBytes(KEY_BYTES));
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const key = await readFile(file);
  if (key.byteLength === KEY_BYTES) return key;
  throw new Error(
    `${file} holds ${key.byteLength} bytes, not ${KEY_BYTES}: delete it, a start makes a new one`,
  );
}
