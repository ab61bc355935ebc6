/*
 * `GET /v1/tap`: the live tail as NDJSON, until the client closes the connection, for an hour at most. It also ends when the
 * token expires or the collector stops; the last line states the reason.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Tokens } from '@imscope/access/tokens.js';
import type { AuthenticateRequest } from '../requests/authenticate-request.js';
import { tapFilter } from './tap-filter.js';
import { line } from './tap-record.js';
import { type Taps, TAPS_MAX } from './taps.js';

export type TapOptions = {
  readonly taps: Taps;
  readonly authenticate: AuthenticateRequest;
  readonly find: Tokens['find'];
};

/** Bytes that wait to be read; further lines are dropped. A burst of 500 usual lines is a quarter of it. */
const UNREAD_BYTES_MAX = 1 << 20;
const TICK_MS = 1_000;
/** Ticks between `alive` lines, which keep proxies from closing an idle connection. */
const ALIVE_TICKS = 10;
const TAP_MS_MAX = 3_600_000;

export function serveTap(request: FastifyRequest, reply: FastifyReply, options: TapOptions): FastifyReply {
  const grant = options.authenticate(request, 'requests');
  const filter = tapFilter(request.url, grant);
  const response = reply.raw;
  const sink = (text: string): boolean => {
    if (response.writableLength + text.length > UNREAD_BYTES_MAX) return false;
    response.write(text);
    return true;
  };
  const end = (reason: 'stopping' | 'token' | 'time'): void => {
    tap.close();
    clearInterval(timer);
    response.end(line({ type: 'end', reason }));
  };
  const opened = options.taps.open(filter, sink, () => end('stopping'));
  if (opened === undefined) {
    throw new HttpError('too_many_requests', `${TAPS_MAX} taps are open, which is the maximum: close one`, {
      retryAfterS: 10,
    });
  }
  const tap = opened;
  reply.hijack();
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  sink(line({ type: 'open', name: grant.name }));
  const startMs = performance.now();
  let ticks = 0;
  const timer = setInterval(() => {
    if (options.find(grant.tokenHash, 'requests') === undefined) return end('token');
    if (performance.now() - startMs > TAP_MS_MAX) return end('time');
    tap.reportDropped();
    ticks += 1;
    if (ticks % ALIVE_TICKS === 0) sink(line({ type: 'alive' }));
  }, TICK_MS);
  response.once('close', () => {
    tap.close();
    clearInterval(timer);
  });
  return reply;
}
