/*
 * The session cookie: the hash of its token and its end, signed. Nothing is kept here, so sessions cost no memory; the
 * token is looked up at every request, so removing it ends its sessions too.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export const SESSION_COOKIE = 'imscope_session';

export type SessionClaim = { readonly tokenHash: string; readonly expiresMs: number };

export type SessionSeal = {
  seal(claim: SessionClaim): string;
  /** undefined where the text is not sealed with this key, or has expired. */
  open(sealed: string, nowMs: number): SessionClaim | undefined;
};

const KEY_LENGTH_MIN = 32;
const SEALED = /^(1\.([0-9a-f]{64})\.(\d{13,15}))\.([\w-]{43})$/;

/** @param key text of 32 characters or more; empty: a random key. Throws where it is shorter. */
export function createSessionSeal(key: string): SessionSeal {
  if (key !== '' && key.length < KEY_LENGTH_MIN) {
    throw new Error(
      `SESSION_KEY has ${key.length} characters: give ${KEY_LENGTH_MIN} or more, or none for a random one`,
    );
  }
  const secret = key === '' ? randomBytes(32) : Buffer.from(key);
  const sign = (text: string): Buffer =>
    createHmac('sha256', secret).update(`imscope session ${text}`).digest();
  return {
    seal({ tokenHash, expiresMs }) {
      const text = `1.${tokenHash}.${expiresMs}`;
      return `${text}.${sign(text).toString('base64url')}`;
    },
    open(sealed, nowMs) {
      const [, text = '', tokenHash = '', expires = '', signature = ''] = SEALED.exec(sealed) ?? [];
      if (text === '' || !timingSafeEqual(sign(text), Buffer.from(signature, 'base64url'))) return undefined;
      const expiresMs = Number(expires);
      return expiresMs > nowMs ? { tokenHash, expiresMs } : undefined;
    },
  };
}
