/*
 * Envelope encryption with AES-256-GCM. A master key wraps the data key of an application; the data key seals values. The
 * associated data bind a wrapped key to its application, and a sealed value to its application and field: moved to another
 * row, neither opens.
 *
 *   form (1 byte) | nonce (12) | encrypted | tag (16)
 *
 * Nonces are random. A data key seals some hundred values in its life, far below the 2^32 that random nonces allow.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { KEY_BYTES, type MasterKey } from './master-keys.js';

/** What a sealed value belongs to. */
export type SealedPlace = { readonly sdkAppId: number; readonly field: string };

const ALGORITHM = 'aes-256-gcm';
const FORM = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + NONCE_BYTES;

/** A value that its key does not open. The message names ids, never keys and values. */
export class CannotOpen extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CannotOpen';
  }
}

export function newDataKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

/** @returns base64url */
export function wrapDataKey(master: MasterKey, dataKey: Buffer, sdkAppId: number): string {
  return encrypt(master.key, dataKey, wrappedPlace(master, sdkAppId)).toString('base64url');
}

/** @throws CannotOpen, with the id of the master key */
export function unwrapDataKey(master: MasterKey, wrapped: string, sdkAppId: number): Buffer {
  const opened = decrypt(master.key, Buffer.from(wrapped, 'base64url'), wrappedPlace(master, sdkAppId));
  if (opened !== undefined) return opened;
  throw new CannotOpen(
    `the data key of application ${sdkAppId} cannot be opened with master key ${master.id}: the key under this id is another one, or the row was changed; give the key that was in force under this id`,
  );
}

export function seal(dataKey: Buffer, content: Uint8Array, place: SealedPlace): Buffer {
  return encrypt(dataKey, content, sealedPlace(place));
}

/** @throws CannotOpen */
export function openSealed(dataKey: Buffer, sealed: Uint8Array, place: SealedPlace): Buffer {
  const opened = decrypt(dataKey, sealed, sealedPlace(place));
  if (opened !== undefined) return opened;
  throw new CannotOpen(
    `secret ${place.field} of application ${place.sdkAppId} cannot be opened: it was changed, or belongs to another application or field; set it again`,
  );
}

function encrypt(key: Buffer, content: Uint8Array, associated: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated);
  return Buffer.concat([
    Buffer.from([FORM]),
    nonce,
    cipher.update(content),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

/** Undefined where the key, the content or the associated data is another one. */
function decrypt(key: Buffer, sealed: Uint8Array, associated: Buffer): Buffer | undefined {
  if (sealed[0] !== FORM || sealed.byteLength < HEAD_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(1, HEAD_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(associated);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const opened = decipher.update(sealed.subarray(HEAD_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([opened, decipher.final()]);
  } catch {
    return undefined;
  }
}

function wrappedPlace({ id }: MasterKey, sdkAppId: number): Buffer {
  return Buffer.from(JSON.stringify(['data_key', id, sdkAppId]));
}

function sealedPlace({ sdkAppId, field }: SealedPlace): Buffer {
  return Buffer.from(JSON.stringify(['secret', sdkAppId, field]));
}
