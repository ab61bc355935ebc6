/*
 * A small IM backend for a real nginx: it answers in IM's form, names its code in `X-IM-Code`, takes
 * its time, and fails in several ways. What it does hangs on the request's `random` alone.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';

export type ImUpstream = { readonly address: string; readonly received: () => number; stop(): Promise<void> };

/** Of 100 requests by `random`: 4 break off (nginx says 502), 3 get 500, 3 are sent to the next upstream. */
export const BREAK_OFF_BELOW = 4;
export const INTERNAL_ERROR_BELOW = 7;
export const NEXT_UPSTREAM_BELOW = 10;
const CODES = [0, 0, 0, 0, 0, 0, 0, 70_001, 60_008, 91_000];

/** @param isLast answers where the one before it sends requests on */
export async function startImUpstream({
  isLast,
  delayMs,
}: {
  isLast: boolean;
  delayMs: number;
}): Promise<ImUpstream> {
  let received = 0;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    received += 1;
    const random = Number(new URL(request.url ?? '/', 'http://im').searchParams.get('random') ?? '0');
    request.resume();
    request.on('end', () => {
      // One in five is slow; the others answer at once, so that many requests stay quick.
      if (delayMs > 0 && random % 5 === 0) setTimeout(() => answer(random, isLast, response), delayMs);
      else answer(random, isLast, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    address: `127.0.0.1:${address.port}`,
    received: () => received,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function answer(random: number, isLast: boolean, response: ServerResponse): void {
  const share = random % 100;
  if (share < BREAK_OFF_BELOW) {
    response.socket?.destroy();
    return;
  }
  if (share < INTERNAL_ERROR_BELOW) {
    response.writeHead(500).end();
    return;
  }
  if (share < NEXT_UPSTREAM_BELOW && !isLast) {
    response.writeHead(503).end();
    return;
  }
  const code = CODES[random % CODES.length] ?? 0;
  response.writeHead(200, { 'content-type': 'application/json', 'x-im-code': String(code) });
  response.end(JSON.stringify({ ActionStatus: code === 0 ? 'OK' : 'FAIL', ErrorCode: code, ErrorInfo: '' }));
}
