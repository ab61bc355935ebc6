/*
 * All open connections, and who may have one. A connection is unknown until a request on it carried a valid token. Those
 * are at most half of all; one too many takes the place of the oldest of the address that has most of them, so that no
 * stranger keeps a sender out. One sender has at most half of all, so none keeps the others out. Connections of unknown
 * senders end with their first answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { UnauthenticatedConnections } from './unauthenticated-connections.js';

/** Why a connection was closed by these rules: the closed list. */
export type ClosedReason =
  /** Unknown, and made room for another one. */
  | 'crowded'
  /** Known and idle, and made room for another one. */
  | 'idle'
  /** New, and everything was taken by known ones at work. */
  | 'full'
  /** Unknown, was answered, and went on sending its body. */
  | 'unread_body';

export type Connection = {
  readonly socket: Socket;
  readonly address: string;
  /** The sender whose valid token it showed last. */
  sender: string | undefined;
  /** Requests whose answer is not out yet. */
  readonly exchanges: Set<{ readonly request: IncomingMessage; readonly response: ServerResponse }>;
};

export type ConnectionsOptions = {
  readonly connectionsMax: number;
  readonly onClosed: (reason: ClosedReason) => void;
};

/** An unknown client that is still sending its body when it is answered has so long to read the answer. */
const UNREAD_BODY_MS = 2_000;

export class Connections {
  readonly #options: ConnectionsOptions;
  /** Half of all: of unknown ones together, and of one sender. */
  readonly #halfMax: number;
  readonly #all = new Set<Connection>();
  readonly #bySocket = new WeakMap<Socket, Connection>();
  readonly #unknown = new UnauthenticatedConnections<Connection>();
  /** Known and without a request, the longest idle first. */
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

  get unknown(): number {
    return this.#unknown.size;
  }

  /** How long none has been open: 0 while one is, infinite where none ever was. */
  quietMs(nowMs: number): number {
    return this.#all.size > 0 ? 0 : nowMs - this.#noneSinceMs;
  }

  /**
   * A connection was opened: it stays, in the place of another one where need be, or is closed.
   * @param address whom it is from
   */
  opened(socket: Socket, address: string): void {
    if (!this.#makeRoom()) {
      this.#close(socket, 'full');
      return;
    }
    const connection: Connection = { socket, address, sender: undefined, exchanges: new Set() };
    this.#all.add(connection);
    this.#bySocket.set(socket, connection);
    this.#unknown.add(connection);
    socket.once('close', () => this.#forget(connection));
  }

  /** What requests will come over `secured` comes over the connection of `socket`. */
  secured(socket: Socket, secured: Socket): void {
    const connection = this.#bySocket.get(socket);
    if (connection !== undefined) this.#bySocket.set(secured, connection);
  }

  /** A request came in. */
  began(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#bySocket.get(request.socket);
    if (connection === undefined) return;
    const exchange = { request, response };
    connection.exchanges.add(exchange);
    this.#idle.delete(connection);
    response.once('close', () => {
      connection.exchanges.delete(exchange);
      if (connection.exchanges.size > 0 || !this.#all.has(connection)) return;
      if (connection.sender !== undefined) this.#idle.add(connection);
      // Its body may have come to its end while the answer went out.
      else if (request.complete) connection.socket.destroySoon();
      else this.#endUnread(connection, request);
    });
  }

  /** The request showed a valid token of this sender. Throws `HttpError` too_many_requests where it has too many. */
  known({ socket }: IncomingMessage, sender: string): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined || connection.sender === sender) return;
    const held = this.#bySender.get(sender) ?? 0;
    if (held >= this.#halfMax) {
      throw new HttpError(
        'too_many_requests',
        `token "${sender}" has ${held} connections open, half of what there may be: nothing of this request was taken, send it again over one that is open`,
        { retryAfterS: 1 },
      );
    }
    this.#unknown.delete(connection);
    this.#leaveSender(connection);
    connection.sender = sender;
    this.#bySender.set(sender, held + 1);
  }

  /** True where the connection ends with the answer to this request: nobody valid has spoken on it. */
  endsWithAnswer(request: IncomingMessage): boolean {
    return request.complete && this.of(request.socket)?.sender === undefined;
  }

  of(socket: Socket): Connection | undefined {
    return this.#bySocket.get(socket);
  }

  /** Closes those that are between two requests, or have not got to the end of a head. */
  closeIdle(): void {
    for (const { socket, exchanges } of this.#all) if (exchanges.size === 0) socket.destroy();
  }

  /** False where there is none to be made. */
  #makeRoom(): boolean {
    const isFull = this.#all.size >= this.#options.connectionsMax;
    if (!isFull && this.#unknown.size < this.#halfMax) return true;
    const stranger = this.#unknown.next();
    if (stranger !== undefined) {
      this.#end(stranger, 'crowded');
      return true;
    }
    const [idle] = this.#idle;
    if (idle !== undefined) this.#end(idle, 'idle');
    return idle !== undefined;
  }

  /** Cut off at once, its answer might be lost with what it still sends: nobody reads that, but it may be sent. */
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
    this.#unknown.delete(connection);
    this.#idle.delete(connection);
    this.#leaveSender(connection);
    if (this.#all.size === 0) this.#noneSinceMs = performance.now();
  }

  #leaveSender({ sender }: Connection): void {
    if (sender === undefined) return;
    const left = (this.#bySender.get(sender) ?? 1) - 1;
    if (left === 0) this.#bySender.delete(sender);
    else this.#bySender.set(sender, left);
  }
}
