/*
 * How the broker's answers come in: read by the kernel straight to their place, one buffer an answer. kafkajs takes
 * 64 kB at a time and joins them, which cost more than all else that is done with the bytes, most of it as garbage.
 * An answer opens with its length in 4 bytes; small ones come together. With TLS they come as kafkajs takes them.
 */
import { createRequire } from 'node:module';
import { type Socket, connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';
import { type AnswerBuffers, type MessageBytes, memoryOf } from './answer-buffers.js';

const LENGTH_BYTES = 4;
const SHARED_BYTES = 64 << 10;
/** Beyond any fetch we ask for; the bytes of what claims more are handed on as they come. */
const ANSWER_BYTES_MAX = 512 << 20;
const KEEP_ALIVE_MS = 60_000;

/** Cuts a stream into answers. `space` says where the next bytes shall go, `take` how many went there. */
export class AnswerCutter {
  readonly #shared = Buffer.allocUnsafeSlow(SHARED_BYTES);
  readonly #buffers: AnswerBuffers;
  readonly #hand: (bytes: Buffer) => void;
  #answer: Buffer | undefined;
  #filled = 0;
  #uncut = false;

  /** @param hand gets whole answers, one or several at once, each with its length before it */
  constructor(buffers: AnswerBuffers, hand: (bytes: Buffer) => void) {
    this.#buffers = buffers;
    this.#hand = hand;
  }

  space(): Buffer {
    return (this.#answer ?? this.#shared).subarray(this.#filled);
  }

  take(bytes: number): void {
    this.#filled += bytes;
    if (this.#answer === undefined) {
      this.#takeShared();
    } else if (this.#filled === this.#answer.length) {
      const answer = this.#answer;
      this.#answer = undefined;
      this.#filled = 0;
      this.#hand(answer);
    }
  }

  #takeShared(): void {
    const filled = this.#filled;
    const end = this.#uncut ? filled : endOfWhole(this.#shared, filled);
    const whole = Buffer.from(this.#shared.subarray(0, end));
    this.#filled = this.#shared.copy(this.#shared, 0, end, filled);
    if (whole.length > 0) this.#hand(whole);
    if (this.#filled >= LENGTH_BYTES) this.#makeRoom(LENGTH_BYTES + this.#shared.readInt32BE(0));
  }

  /** For an answer of so many bytes that has begun in the shared buffer. */
  #makeRoom(length: number): void {
    if (length > ANSWER_BYTES_MAX || length < LENGTH_BYTES) {
      this.#uncut = true;
      this.#takeShared();
    } else if (length > SHARED_BYTES) {
      this.#answer = this.#buffers.take(length);
      this.#shared.copy(this.#answer, 0, 0, this.#filled);
    }
  }
}

/** Where the last whole answer among the first bytes ends. */
function endOfWhole(bytes: Buffer, filled: number): number {
  let end = 0;
  while (end + LENGTH_BYTES <= filled) {
    const next = end + LENGTH_BYTES + bytes.readInt32BE(end);
    if (next < end + LENGTH_BYTES || next > filled) break;
    end = next;
  }
  return end;
}

/** Connections for kafkajs whose answers come whole. @param buffers where large ones are read to */
export function connectForWholeAnswers(buffers: AnswerBuffers): ISocketFactory {
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
  buffers: AnswerBuffers,
): Socket {
  const cutter = new AnswerCutter(buffers, (bytes) => socket.emit('data', bytes));
  const socket = connect(
    {
      host,
      port,
      onread: {
        buffer: () => cutter.space(),
        callback: (bytes) => {
          cutter.take(bytes);
          return true;
        },
      },
    },
    onConnect,
  );
  return socket;
}

type Connection = { chunks: Buffer[]; bytesBuffered: number };
type ProcessData = (this: Connection, bytes: Buffer) => unknown;

/**
 * kafkajs joins what is left of the last answer, even where that is nothing, with the next: a copy of every byte.
 * Does nothing to a kafkajs that is not as we know it.
 */
export function spareTheJoin(): void {
  const found: unknown = createRequire(import.meta.url)('kafkajs/src/network/connection.js');
  const prototype: unknown = typeof found === 'function' ? found.prototype : undefined;
  if (!hasProcessData(prototype)) return;
  const { processData } = prototype;
  prototype.processData = function (bytes) {
    if (this.bytesBuffered === 0) this.chunks = [];
    return processData.call(this, bytes);
  };
}

function hasProcessData(value: unknown): value is { processData: ProcessData } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'processData' in value &&
    typeof value.processData === 'function'
  );
}

type FetchAnswer = {
  readonly responses: readonly {
    readonly partitions: readonly { readonly messages: readonly MessageBytes[] }[];
  }[];
};
type FetchResponse = { decode: (answer: Buffer) => Promise<FetchAnswer> };

/** Versions in which messages come as they do today; brokers have spoken them since 0.11. */
const FETCH_VERSIONS = [4, 5, 6, 7, 8, 9, 10, 11];

/** Tells of every fetched answer how many batches point into it. Without it, none is used again. */
export function tellBatches(buffers: AnswerBuffers): void {
  const require = createRequire(import.meta.url);
  for (const version of FETCH_VERSIONS) {
    const response = require(`kafkajs/src/protocol/requests/fetch/v${version}/response.js`) as FetchResponse;
    const { decode } = response;
    response.decode = async (answer) => {
      const decoded = await decode(answer);
      const batches = decoded.responses.flatMap(({ partitions }) => partitions);
      const within = batches.filter(({ messages }) => memoryOf(messages) === answer.buffer);
      buffers.divide(answer.buffer, within.length);
      return decoded;
    };
  }
}
