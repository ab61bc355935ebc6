/*
 * The address of the client of a request: the source of the connection's PROXY header, or else the socket's peer; then
 * X-Forwarded-For, as far as proxies are trusted.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { forwardedFor } from './forwarded-for.js';
import { canonicalIp } from './ip-text.js';

export class ClientAddresses {
  readonly #forwardedHops: number;
  /** The address of the peer, or of the PROXY header's source, by the socket of HTTP or of TLS below it. */
  readonly #nearest = new WeakMap<Socket, string>();

  /** @param forwardedHops trusted proxies that append to X-Forwarded-For; 0 ignores the header */
  constructor(forwardedHops: number) {
    this.#forwardedHops = forwardedHops;
  }

  /** Sets the source of a PROXY header, before HTTP or TLS begins on the socket. */
  setProxySource(socket: Socket, source: string): void {
    this.#nearest.set(socket, source);
  }

  /**
   * Called when HTTP or TLS begins on a socket. Keeps its address, because a closed socket has none.
   * @returns the address, empty if the socket is already closed
   */
  opened(socket: Socket): string {
    const known = this.#nearest.get(socket);
    if (known !== undefined) return known;
    const peer = canonicalIp(socket.remoteAddress ?? '');
    if (peer !== undefined) this.#nearest.set(socket, peer);
    return peer ?? '';
  }

  /** Gives the socket of a TLS session, `secured`, the address of the `socket` below it. */
  secured(socket: Socket, secured: Socket): void {
    const nearest = this.#nearest.get(socket);
    if (nearest !== undefined) this.#nearest.set(secured, nearest);
  }

  /** Undefined if the connection was closed before its address was read. */
  addressOf(request: IncomingMessage): string | undefined {
    const nearest = this.#nearest.get(request.socket);
    if (nearest === undefined) return undefined;
    const header = request.headers['x-forwarded-for'];
    return forwardedFor(nearest, Array.isArray(header) ? header.join(',') : header, this.#forwardedHops);
  }
}
