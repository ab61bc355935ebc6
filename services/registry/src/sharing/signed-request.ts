/*
 * Requests to other systems, signed by HMAC-SHA256 with a key that both sides hold. `docs/sharing.md` describes the scheme
 * for the side that verifies.
 */
import { createHash, createHmac } from 'node:crypto';
import { errorMessage } from '@imscope/runtime/error-message.js';

export type SignedEndpoint = {
  /** Without credentials. */
  readonly url: string;
  readonly keyId: string;
  readonly key: string;
};

export type SignedMessage = {
  readonly idempotencyKey: string;
  /** JSON. The same at every repeat. */
  readonly body: string;
};

/** `answered`: with a status of 200 to 299. */
export type SendResult = { readonly kind: 'answered' } | { readonly kind: 'failed'; readonly reason: string };

/** Headers that name the key and prove the message. @param nowMs the time of this attempt */
export function signatureHeaders(
  { url, keyId, key }: SignedEndpoint,
  { idempotencyKey, body }: SignedMessage,
  nowMs: number,
): Readonly<Record<string, string>> {
  const { pathname, search } = new URL(url);
  const timestamp = String(Math.floor(nowMs / 1_000));
  const bodyHash = createHash('sha256').update(body).digest('hex');
  const signed = ['imscope-v1', 'POST', `${pathname}${search}`, timestamp, idempotencyKey, bodyHash].join(
    '\n',
  );
  return {
    'content-type': 'application/json',
    'idempotency-key': idempotencyKey,
    'imscope-key-id': keyId,
    'imscope-timestamp': timestamp,
    'imscope-signature': `v1=${createHmac('sha256', key).update(signed).digest('hex')}`,
  };
}

/** Sends once. Redirects are failures: they would carry the signature to another place. Never rejects. */
export async function sendSigned(
  endpoint: SignedEndpoint,
  message: SignedMessage,
  options: { readonly nowMs: number; readonly timeoutMs: number },
): Promise<SendResult> {
  try {
    const response = await fetch(endpoint.url, {
      method: 'POST',
      headers: { ...signatureHeaders(endpoint, message, options.nowMs) },
      body: message.body,
      redirect: 'manual',
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    // What the answer says is not used.
    await response.body?.cancel();
    if (response.ok) return { kind: 'answered' };
    return { kind: 'failed', reason: `answered with status ${response.status}` };
  } catch (error) {
    return { kind: 'failed', reason: failureText(error) };
  }
}

/** `fetch` says only that it failed; the cause says why. */
function failureText(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const text = cause === undefined ? errorMessage(error) : `${errorMessage(error)}: ${errorMessage(cause)}`;
  return text.slice(0, 500);
}
