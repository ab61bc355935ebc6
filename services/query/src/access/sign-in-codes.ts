/*
 * One-use sign-in codes: each works once and for ten minutes. Only their hashes are kept; at the bound the
 * oldest stops working.
 */
import { createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';

export const SIGN_IN_CODE_TERM_MS = 10 * 60_000;

export type SignInCodes = {
  /** Makes a code for the token with this hash. */
  issue(tokenHash: string, nowMs: number): { readonly code: string; readonly expiresMs: number };
  /** The token's hash, once; undefined where the code is unknown, used, or too old. */
  redeem(code: string, nowMs: number): string | undefined;
};

export function createSignInCodes(codesMax: number): SignInCodes {
  const codes = new LRUCache<string, { readonly tokenHash: string; readonly expiresMs: number }>({
    max: codesMax,
  });
  return {
    issue(tokenHash, nowMs) {
      const code = randomBytes(24).toString('base64url');
      const expiresMs = nowMs + SIGN_IN_CODE_TERM_MS;
      codes.set(hashOf(code), { tokenHash, expiresMs });
      return { code, expiresMs };
    },
    redeem(code, nowMs) {
      const key = hashOf(code);
      const issued = codes.peek(key);
      codes.delete(key);
      return issued !== undefined && issued.expiresMs > nowMs ? issued.tokenHash : undefined;
    },
  };
}

function hashOf(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}
