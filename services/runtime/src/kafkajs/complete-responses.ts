/*
 * Defect of kafkajs 2.2.4: it reads a response in pieces of 64 kB and joins them, which costs more than all else that is
 * done with the bytes, most of it as garbage. With these sockets a response is read into one buffer and handed over
 * complete. It begins with its length in 4 bytes; small responses are handed over together. With TLS nothing changes.
 */
import { type Socket, connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';
import type { ResponseBuffers } from './response-buffers.js';

const LENGTH_BYTES = 4;
const SHARED_BYTES = 64 << 10;
/** More than any fetch requests; a stream that claims more is handed over as it arrives. */
const RESPONSE_BYTES_MAX = 512 << 20;
const KEEP_ALIVE_MS = 60_000;

/** Cuts a stream into responses. `space` is where the next bytes go, `received` tells how many went there. */
export class ResponseCutter {
  readonly #shared = Buffer.allocUnsafeSlow(SHARED_BYTES);
  readonly #buffers: ResponseBuffers;
  readonly #handOver: (bytes: Buffer) => void;
  #response: Buffer | undefined;
  #filled = 0;
  #uncut = false;

  /** @param handOver gets complete responses, one or several at once, each with its length before it */
  constructor(buffers: ResponseBuffers, handOver: (bytes: Buffer) => void) {
    this.#buffers = buffers;
    this.#handOver = handOver;
  }

  space(): Buffer {
    return (this.#response ?? this.#shared).subarray(this.#filled);
  }

  received(bytes: number): void {
    this.#filled += bytes;
    if (this.#response === undefined) {
      this.#cutShared();
    } else if (this.#filled === this.#response.length) {
      const response = this.#response;
      this.#response = undefined;
      this.#filled = 0;
      this.#handOver(response);
    }
  }

  #cutShared(): void {
    const filled = this.#filled;
    const end = this.#uncut ? filled : endOfComplete(this.#shared, filled);
    const complete = Buffer.from(this.#shared.subarray(0, end));
    this.#filled = this.#shared.copy(this.#shared, 0, end, filled);
    if (complete.length > 0) this.#handOver(complete);
    if (this.#filled >= LENGTH_BYTES) this.#reserve(LENGTH_BYTES + this.#shared.readInt32BE(0));
  }

  /** For a response of so many bytes that begins in the shared buffer. */
  #reserve(length: number): void {
    if (length > RESPONSE_BYTES_MAX || length < LENGTH_BYTES) {
      this.#uncut = true;
      this.#cutShared();
    } else if (length > SHARED_BYTES) {
      this.#response = this.#buffers.reserve(length);
      this.#shared.copy(this.#response, 0, 0, this.#filled);
    }
  }
}

/** Where the last complete response among the first bytes ends. */
function endOfComplete(bytes: Buffer, filled: number): number {
  let end = 0;
  while (end + LENGTH_BYTES <= filled) {
    const next = end + LENGTH_BYTES + bytes.readInt32BE(end);
    if (next < end + LENGTH_BYTES || next > filled) break;
    end = next;
  }
  return end;
}

/** Sockets for kafkajs that hand over complete responses. @param buffers memory for large ones */
export function connectForCompleteResponses(buffers: ResponseBuffers): ISocketFactory {
  return ({ host, port, ssl, onConnect }) => {
    // kafkajs gives false, against its types, where there is no TLS.
    const socket: Socket = ssl
      ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
      : connectPlain({ host, port }, onConnect, buffers);
    return socket.setKeepAlive(true, KEEP_ALIVE_MS);
  };
}

function connectPlain(
  { host, port }: { readonly host: string; readonly port: number },
  onConnect: () => void,
  buffers: ResponseBuffers,
): Socket {
  const cutter = new ResponseCutter(buffers, (bytes) => socket.emit('data', bytes));
  const socket = connect(
    {
      host,
      port,
      onread: {
        buffer: () => cutter.space(),
        callback: (bytes) => {
          cutter.received(bytes);
          return true;
        },
      },
    },
    onConnect,
  );
  return socket;
}
