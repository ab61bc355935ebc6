/*
 * Tracks all open connections and limits them. A connection is unauthenticated until a request on it has a valid token. At
 * most half of all connections may be unauthenticated; a further one replaces the oldest of the address that has the most, so
 * that unauthenticated clients cannot keep senders out. One sender has at most half of all connections, so that it cannot
 * keep the others out. An unauthenticated connection ends with its first answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { UnauthenticatedConnections } from './unauthenticated-connections.js';

/** Why a connection was closed by a limit: the closed list. */
export type ClosedReason =
  /** Unauthenticated, and replaced by another one. */
  | 'crowded'
  /** Authenticated and idle, and replaced by another one. */
  | 'idle'
  /** New, while all others were authenticated and busy. */
  | 'full'
  /** Unauthenticated, answered, and kept sending its body. */
  | 'unread_body';

export type Connection = {
  readonly socket: Socket;
  readonly address: string;
  /** The sender of the last valid token. */
  sender: string | undefined;
  /** Requests whose answer is not sent yet. */
  readonly exchanges: Set<{ readonly request: IncomingMessage; readonly response: ServerResponse }>;
};

export type ConnectionsOptions = {
  readonly connectionsMax: number;
  readonly onClosed: (reason: ClosedReason) => void;
};

/** Time to read the answer, for an unauthenticated client that is still sending its body. */
const UNREAD_BODY_MS = 2_000;

export class Connections {
  readonly #options: ConnectionsOptions;
  /** Half of all: the bound of unauthenticated connections, and of one sender. */
  readonly #halfMax: number;
  readonly #all = new Set<Connection>();
  readonly #bySocket = new WeakMap<Socket, Connection>();
  readonly #unauthenticated = new UnauthenticatedConnections<Connection>();
  /** Authenticated and without a request, the longest idle first. */
  readonly #idle = new Set<Connection>();
  readonly #bySender = new Map<string, number>();
  #noneSinceMs = Number.NEGATIVE_INFINITY;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#halfMax = Math.floor(options.connectionsMax / 2);
  }

  get size(): number {
    return this.#all.size;
  }

  get unauthenticated(): number {
    return this.#unauthenticated.size;
  }

  /** Time since the last connection closed: 0 while one is open, infinite if there was none. */
  quietMs(nowMs: number): number {
    return this.#all.size > 0 ? 0 : nowMs - this.#noneSinceMs;
  }

  /**
   * Adds a connection. If there are too many, another one is closed for it, or it is closed itself.
   * @param address of the client
   */
  opened(socket: Socket, address: string): void {
    if (!this.#makeCapacity()) {
      this.#close(socket, 'full');
      return;
    }
    const connection: Connection = { socket, address, sender: undefined, exchanges: new Set() };
    this.#all.add(connection);
    this.#bySocket.set(socket, connection);
    this.#unauthenticated.add(connection);
    socket.once('close', () => this.#forget(connection));
  }

  /** Maps the socket of a TLS session, `secured`, to the connection of the `socket` below it. */
  secured(socket: Socket, secured: Socket): void {
    const connection = this.#bySocket.get(socket);
    if (connection !== undefined) this.#bySocket.set(secured, connection);
  }

  /** Adds a request to its connection until its answer is sent. */
  requestBegan(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#bySocket.get(request.socket);
    if (connection === undefined) return;
    const exchange = { request, response };
    connection.exchanges.add(exchange);
    this.#idle.delete(connection);
    response.once('close', () => {
      connection.exchanges.delete(exchange);
      if (connection.exchanges.size > 0 || !this.#all.has(connection)) return;
      if (connection.sender !== undefined) this.#idle.add(connection);
      // The body may have been received completely while the answer was sent.
      else if (request.complete) connection.socket.destroySoon();
      else this.#endUnread(connection, request);
    });
  }

  /** The request has a valid token of this sender. @throws HttpError too_many_requests if the sender has too many connections */
  authenticated({ socket }: IncomingMessage, sender: string): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined || connection.sender === sender) return;
    const held = this.#bySender.get(sender) ?? 0;
    if (held >= this.#halfMax) {
      throw new HttpError(
        'too_many_requests',
        `token "${sender}" has ${held} connections open, half of the limit: nothing of this request was accepted, send it again over one that is open`,
        { retryAfterS: 1 },
      );
    }
    this.#unauthenticated.delete(connection);
    this.#releaseSender(connection);
    connection.sender = sender;
    this.#bySender.set(sender, held + 1);
  }

  /** True if the connection ends with the answer to this request, because it is unauthenticated. */
  endsWithAnswer(request: IncomingMessage): boolean {
    return request.complete && this.of(request.socket)?.sender === undefined;
  }

  of(socket: Socket): Connection | undefined {
    return this.#bySocket.get(socket);
  }

  /** Closes connections without a complete request head. */
  closeIdle(): void {
    for (const { socket, exchanges } of this.#all) if (exchanges.size === 0) socket.destroy();
  }

  /** Closes another connection if necessary. False if none may be closed. */
  #makeCapacity(): boolean {
    const isFull = this.#all.size >= this.#options.connectionsMax;
    if (!isFull && this.#unauthenticated.size < this.#halfMax) return true;
    const oldest = this.#unauthenticated.toClose();
    if (oldest !== undefined) {
      this.#end(oldest, 'crowded');
      return true;
    }
    const [idle] = this.#idle;
    if (idle !== undefined) this.#end(idle, 'idle');
    return idle !== undefined;
  }

  /** Closes later: if the socket were closed while the client sends, the client could lose the answer. */
  #endUnread(connection: Connection, request: IncomingMessage): void {
    const { socket } = connection;
    const timer = setTimeout(() => {
      if (connection.sender === undefined) this.#end(connection, 'unread_body');
    }, UNREAD_BODY_MS);
    socket.once('close', () => clearTimeout(timer));
    request.once('end', () => {
      if (connection.sender === undefined && connection.exchanges.size === 0) socket.destroySoon();
    });
  }

  #end(connection: Connection, reason: ClosedReason): void {
    this.#forget(connection);
    this.#close(connection.socket, reason);
  }

  #close(socket: Socket, reason: ClosedReason): void {
    this.#options.onClosed(reason);
    socket.destroy();
  }

  #forget(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    this.#unauthenticated.delete(connection);
    this.#idle.delete(connection);
    this.#releaseSender(connection);
    if (this.#all.size === 0) this.#noneSinceMs = performance.now();
  }

  #releaseSender({ sender }: Connection): void {
    if (sender === undefined) return;
    const left = (this.#bySender.get(sender) ?? 1) - 1;
    if (left === 0) this.#bySender.delete(sender);
    else this.#bySender.set(sender, left);
  }
}
