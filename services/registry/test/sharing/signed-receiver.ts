/*
 * A real HTTP receiver that verifies signatures as docs/sharing.md describes, and keeps what it accepted. Written apart from
 * the code that signs.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';

export type Accepted = {
  readonly event: string;
  readonly sdkAppId: number;
  readonly changedAtMs: number;
  readonly idempotencyKey: string;
  readonly body: string;
};
/** What the receiver does with a request that it has read and verified. */
export type Behaviour = 'accept' | 'fail' | 'hang' | 'accept_and_break' | 'redirect';

export type SignedReceiver = {
  readonly url: string;
  /** Verified requests in the order of their arrival, repeats too. */
  readonly attempts: Accepted[];
  /** Those that were accepted, once each. */
  readonly accepted: Accepted[];
  /** Requests whose signature is wrong. */
  readonly forged: string[];
  behave: (request: Accepted) => Behaviour;
};

export async function startSignedReceiver(
  t: TestContext,
  keys: Readonly<Record<string, string>>,
  nowMs: () => number,
): Promise<SignedReceiver> {
  const seen = new Set<string>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(request, response, Buffer.concat(chunks).toString()));
  });
  const receiver: SignedReceiver & { url: string } = {
    url: '',
    attempts: [],
    accepted: [],
    forged: [],
    behave: () => 'accept',
  };
  function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    if (!isGenuine(request, body, keys, nowMs())) {
      receiver.forged.push(body);
      response.writeHead(401).end();
      return;
    }
    const { event, sdk_app_id: sdkAppId, changed_at_ms: changedAtMs } = JSON.parse(body);
    const idempotencyKey = String(request.headers['idempotency-key']);
    const received = { event, sdkAppId, changedAtMs, idempotencyKey, body };
    receiver.attempts.push(received);
    const behaviour = receiver.behave(received);
    if (behaviour === 'accept' || behaviour === 'accept_and_break') {
      if (!seen.has(idempotencyKey)) receiver.accepted.push(received);
      seen.add(idempotencyKey);
    }
    if (behaviour === 'accept') response.writeHead(204).end();
    if (behaviour === 'accept_and_break') response.destroy();
    if (behaviour === 'fail') response.writeHead(503).end('try later');
    if (behaviour === 'redirect') response.writeHead(307, { location: '/elsewhere' }).end();
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the receiver has no port');
  receiver.url = `http://127.0.0.1:${address.port}/im/sharing?tenant=1`;
  return receiver;
}

function isGenuine(
  { method, url, headers }: IncomingMessage,
  body: string,
  keys: Readonly<Record<string, string>>,
  nowMs: number,
): boolean {
  const key = keys[String(headers['imscope-key-id'])];
  const timestamp = String(headers['imscope-timestamp']);
  if (key === undefined || Math.abs(Number(timestamp) * 1_000 - nowMs) > 300_000) return false;
  const hash = createHash('sha256').update(body).digest('hex');
  const text = `imscope-v1\n${method}\n${url}\n${timestamp}\n${String(headers['idempotency-key'])}\n${hash}`;
  const expected = Buffer.from(`v1=${createHmac('sha256', key).update(text).digest('hex')}`);
  const given = Buffer.from(String(headers['imscope-signature']));
  return expected.length === given.length && timingSafeEqual(expected, given);
}
