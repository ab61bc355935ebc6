/*
 * Network prefixes as opaque text for links: a URL must not name a prefix. An id expires with the data it was shown with.
 * It is encrypted and authenticated (AES-256-GCM). Its nonce is derived from its content, so that the same prefix and end
 * have the same id, also after a restart with the same key.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { HttpError } from '@imscope/runtime/http-errors.js';

export type NetworkIds = {
  /** @param prefixKey that of `prefixKeySql` @param expiresMs no later than the data expire */
  seal(prefixKey: number, expiresMs: number): string;
  /** Throws `HttpError` invalid_network_id or expired_network_id; messages do not repeat the text. */
  open(id: string, nowMs: number): number;
};

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Prefix key and end, 6 bytes each but for the prefix, which has 49 bits. */
const CONTENT_BYTES = 14;
const ID_BYTES = NONCE_BYTES + CONTENT_BYTES + TAG_BYTES;
export const NETWORK_ID_LENGTH = Math.ceil((ID_BYTES * 4) / 3);
const EXPIRES_AT = 8;

/** @param key text; empty: a random key, so that ids are invalid after a restart */
export function createNetworkIds(key: string): NetworkIds {
  const secret = key === '' ? randomBytes(32) : Buffer.from(key);
  const derive = (purpose: string): Buffer => createHmac('sha256', secret).update(purpose).digest();
  const encryption = derive('imscope network id: encryption');
  const nonces = derive('imscope network id: nonce');
  return {
    seal(prefixKey, expiresMs) {
      const content = Buffer.alloc(CONTENT_BYTES);
      content.writeBigUInt64BE(BigInt(prefixKey), 0);
      content.writeUIntBE(expiresMs, EXPIRES_AT, 6);
      const nonce = createHmac('sha256', nonces).update(content).digest().subarray(0, NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', encryption, nonce);
      const encrypted = Buffer.concat([cipher.update(content), cipher.final()]);
      return Buffer.concat([nonce, encrypted, cipher.getAuthTag()]).toString('base64url');
    },
    open(id, nowMs) {
      const content = decrypt(Buffer.from(id, 'base64url'), encryption);
      if (content === undefined) {
        throw new HttpError(
          'invalid_network_id',
          'network is no id of this service, or was made before a restart without SESSION_KEY: take one from an answer of network',
        );
      }
      if (content.readUIntBE(EXPIRES_AT, 6) <= nowMs) {
        throw new HttpError(
          'expired_network_id',
          'network is an id whose data have expired: ask network again for a current one',
        );
      }
      return Number(content.readBigUInt64BE(0));
    },
  };
}

function decrypt(bytes: Buffer, key: Buffer): Buffer | undefined {
  if (bytes.length !== ID_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    // The tag does not fit: another key, or altered text.
    return undefined;
  }
}
