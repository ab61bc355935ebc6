/*
 * A port where every connection begins with a PROXY header: who connects is held against a list, the header is read
 * within its bounds of bytes and time, and the socket is handed on as if it had begun behind it. Anything else is
 * closed at once, without an answer, for whoever speaks it did not ask for HTTP.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { HeaderFault } from './header-reading.js';
import type { Peers } from './peers.js';
import { readProxyHeader } from './proxy-header.js';

/** Why a connection was closed. */
export type ProxyRefusal = 'peer_not_allowed' | HeaderFault | 'timed_out' | 'closed_early' | 'too_many';

export type ProxyListenerOptions = {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly peers: Peers;
  /** As the server behind has it for its own connections: HTTP true, TLS false. */
  readonly allowHalfOpen: boolean;
  /** Takes a socket whose next byte is HTTP's or TLS's. @param source whom the header named, if anybody */
  readonly onConnection: (socket: Socket, source: string | undefined) => void;
  readonly onRefused: (reason: ProxyRefusal, peer: string | undefined) => void;
  readonly headerTimeoutMs?: number;
};

export type ProxyListener = {
  readonly port: number;
  /** No new connections; those without a whole header are closed. Resolves when all that were handed on have ended. */
  stop(): Promise<void>;
  closeAllConnections(): void;
};

/** A sender has the header ready when it connects. */
const HEADER_TIMEOUT_MS = 3_000;
/** Connections that wait for their header, at some 10 kB each; one more is closed. */
const WAITING_MAX = 1_000;

export async function startProxyListener(options: ProxyListenerOptions): Promise<ProxyListener> {
  const open = new Set<Socket>();
  const waiting = new Set<Socket>();
  const server = createServer({ allowHalfOpen: options.allowHalfOpen, noDelay: true }, (socket) => {
    const peer = socket.remoteAddress;
    // Stays on: a reset is seen as the close behind it, whoever owns the socket then.
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
    takeHeader(socket, options.headerTimeoutMs ?? HEADER_TIMEOUT_MS, (end) => {
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

/** Reads up to the header's end and puts back what came behind it. Calls back once, with nothing left on the socket. */
function takeHeader(socket: Socket, timeoutMs: number, onEnd: (end: HeaderEnd) => void): void {
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
