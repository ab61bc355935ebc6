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
  /** By the socket that HTTP is spoken over, or TLS below it; gone with it. */
  readonly #nearest = new WeakMap<Socket, string>();

  /** @param forwardedHops proxies whose X-Forwarded-For is believed; 0 ignores the header */
  constructor(forwardedHops: number) {
    this.#forwardedHops = forwardedHops;
  }

  /** Before HTTP or TLS begins on this socket: whom a PROXY header named. */
  connectionIsFrom(socket: Socket, source: string): void {
    this.#nearest.set(socket, source);
  }

  /**
   * Once HTTP or TLS begins on a socket. Remembered, for a socket that was closed tells nothing any more.
   * @returns its address, empty where it was closed already
   */
  connected(socket: Socket): string {
    const known = this.#nearest.get(socket);
    if (known !== undefined) return known;
    const peer = canonicalIp(socket.remoteAddress ?? '');
    if (peer !== undefined) this.#nearest.set(socket, peer);
    return peer ?? '';
  }

  /** HTTP over TLS is spoken over a socket of its own, `secured`, which is from where `socket` is from. */
  secured(socket: Socket, secured: Socket): void {
    const nearest = this.#nearest.get(socket);
    if (nearest !== undefined) this.#nearest.set(secured, nearest);
  }

  /** Undefined where the connection was gone before anything was known of it. */
  of(request: IncomingMessage): string | undefined {
    const nearest = this.#nearest.get(request.socket);
    if (nearest === undefined) return undefined;
    const header = request.headers['x-forwarded-for'];
    return forwardedFor(nearest, Array.isArray(header) ? header.join(',') : header, this.#forwardedHops);
  }
}
