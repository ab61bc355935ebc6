/*
 * Who a request comes from: the source a PROXY header named, else the socket's peer; then, where proxies are
 * trusted, X-Forwarded-For. Sources are kept beside their sockets, which stay as they are.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { forwardedFor } from './forwarded-for.js';
import { canonicalIp } from './ip-text.js';

export class ClientAddresses {
  readonly #forwardedHops: number;
  /** By the socket that HTTP is spoken over; gone with it. */
  readonly #nearest = new WeakMap<Socket, string>();
  /**
   * Sources by their connection's two ends, for TLS: the socket HTTP is spoken over is made anew there, and has the
   * ends of the one below in common only. One for each open connection.
   */
  readonly #bySocketEnds = new Map<string, string>();

  /** @param forwardedHops proxies whose X-Forwarded-For is believed; 0 ignores the header */
  constructor(forwardedHops: number) {
    this.#forwardedHops = forwardedHops;
  }

  /** Before HTTP or TLS begins on this socket: whom a PROXY header named. */
  connectionIsFrom(socket: Socket, source: string): void {
    this.#nearest.set(socket, source);
    const ends = socketEnds(socket);
    this.#bySocketEnds.set(ends, source);
    socket.once('close', () => this.#bySocketEnds.delete(ends));
  }

  /** Once HTTP begins on a socket. Remembered, for a socket that was closed tells nothing any more. */
  connected(socket: Socket): void {
    if (this.#nearest.has(socket)) return;
    const source = this.#bySocketEnds.get(socketEnds(socket)) ?? canonicalIp(socket.remoteAddress ?? '');
    if (source !== undefined) this.#nearest.set(socket, source);
  }

  /** Undefined where the connection was gone before anything was known of it. */
  of(request: IncomingMessage): string | undefined {
    const nearest = this.#nearest.get(request.socket);
    if (nearest === undefined) return undefined;
    const header = request.headers['x-forwarded-for'];
    return forwardedFor(nearest, Array.isArray(header) ? header.join(',') : header, this.#forwardedHops);
  }
}

function socketEnds({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
