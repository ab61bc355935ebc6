/*
 * A TCP listener where every connection begins with a PROXY header: checks the peer against a list, reads the header within
 * bounds of bytes and time, and passes on the socket positioned after it. Any other connection is closed at once without an
 * answer, because the peer does not speak HTTP at this point.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { HeaderFault } from './parsed-header.js';
import type { Peers } from './peers.js';
import { readProxyHeader } from './proxy-header.js';

/** Why a connection was closed. */
export type ProxyRefusal = 'peer_not_allowed' | HeaderFault | 'timed_out' | 'closed_early' | 'too_many';

export type ProxyListenerOptions = {
  readonly host: string;
  /** 0 chooses a free port. */
  readonly port: number;
  readonly peers: Peers;
  /** As for the HTTP server's own connections: true for HTTP, false for TLS. */
  readonly allowHalfOpen: boolean;
  /** Called with a socket whose next byte is HTTP's or TLS's. @param source the client that the header names, if any */
  readonly onConnection: (socket: Socket, source: string | undefined) => void;
  readonly onRefused: (reason: ProxyRefusal, peer: string | undefined) => void;
  readonly headerTimeoutMs?: number;
};

export type ProxyListener = {
  readonly port: number;
  /** Closes the listener and connections without a complete header. Resolves when all others have ended. */
  stop(): Promise<void>;
  closeAllConnections(): void;
};

/** Balancers send the header as soon as they connect. */
const HEADER_TIMEOUT_MS = 3_000;
/** Connections that wait for their header, about 10 kB each; further ones are closed. */
const WAITING_MAX = 1_000;

export async function startProxyListener(options: ProxyListenerOptions): Promise<ProxyListener> {
  const open = new Set<Socket>();
  const waiting = new Set<Socket>();
  const server = createServer({ allowHalfOpen: options.allowHalfOpen, noDelay: true }, (socket) => {
    const peer = socket.remoteAddress;
    // Never removed: a reset is handled by the 'close' that follows it, also after the socket was passed on.
    socket.on('error', () => undefined);
    const refusal = refuse(options.peers(peer), waiting.size);
    if (refusal !== undefined) {
      socket.destroy();
      options.onRefused(refusal, peer);
      return;
    }
    open.add(socket);
    waiting.add(socket);
    socket.once('close', () => open.delete(socket));
    readHeader(socket, options.headerTimeoutMs ?? HEADER_TIMEOUT_MS, (end) => {
      waiting.delete(socket);
      if (end.kind === 'header') options.onConnection(socket, end.source);
      else {
        socket.destroy();
        options.onRefused(end.reason, peer);
      }
    });
  });
  server.listen({ host: options.host, port: options.port });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of waiting) socket.destroy();
      await closed;
    },
    closeAllConnections: () => {
      for (const socket of open) socket.destroy();
    },
  };
}

function refuse(allowed: boolean, waiting: number): ProxyRefusal | undefined {
  if (!allowed) return 'peer_not_allowed';
  return waiting >= WAITING_MAX ? 'too_many' : undefined;
}

type HeaderEnd =
  | { readonly kind: 'header'; readonly source: string | undefined }
  | { readonly kind: 'refused'; readonly reason: ProxyRefusal };

/** Reads the header and unshifts the bytes after it. Calls back once and leaves no listeners on the socket. */
function readHeader(socket: Socket, timeoutMs: number, onEnd: (end: HeaderEnd) => void): void {
  let bytes = Buffer.alloc(0);
  const finish = (end: HeaderEnd): void => {
    clearTimeout(timer);
    socket.off('readable', onReadable).off('end', onClosed).off('close', onClosed);
    onEnd(end);
  };
  const onClosed = (): void => finish({ kind: 'refused', reason: 'closed_early' });
  const onReadable = (): void => {
    const piece = socket.read() as Buffer | null;
    if (piece === null) return;
    bytes = Buffer.concat([bytes, piece]);
    const reading = readProxyHeader(bytes);
    if (reading.kind === 'incomplete') return;
    if (reading.kind === 'fault') {
      finish({ kind: 'refused', reason: reading.fault });
      return;
    }
    if (bytes.length > reading.length) socket.unshift(bytes.subarray(reading.length));
    finish({ kind: 'header', source: reading.source });
  };
  const timer = setTimeout(() => finish({ kind: 'refused', reason: 'timed_out' }), timeoutMs);
  socket.on('readable', onReadable).once('end', onClosed).once('close', onClosed);
}
