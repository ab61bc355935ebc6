/*
 * A keep-alive connection that writes prepared requests and reads answers with a content-length, one request at a time. It
 * does little work, so that the sender needs less processor time than the measured process.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export type Answer = { readonly status: number; readonly body: string };

const SILENCE_MS_MAX = 60_000;
const END_OF_HEAD = '\r\n\r\n';

export class KeepAliveConnection {
  readonly #port: number;
  #socket: Socket;
  #received = '';
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  private constructor(port: number, socket: Socket) {
    this.#port = port;
    this.#socket = socket;
    this.#listen(socket);
  }

  static async open(port: number): Promise<KeepAliveConnection> {
    return new KeepAliveConnection(port, await connected(port));
  }

  /** Reconnects if the connection was closed between two requests. Rejects if it ends before the answer is complete. */
  async send(request: Buffer): Promise<Answer> {
    if (this.#socket.destroyed || !this.#socket.writable) {
      this.#received = '';
      this.#socket = await connected(this.#port);
      this.#listen(this.#socket);
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.setTimeout(SILENCE_MS_MAX, () => socket.destroy(new Error(`no answer for ${SILENCE_MS_MAX} ms`)));
    socket.on('data', (text: string) => this.#receive(text));
    // A replaced connection has no request in flight.
    const fail = (error: Error): void => {
      if (socket === this.#socket) this.#fail(error);
    };
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the collector closed a connection within a request')));
  }

  #receive(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf(END_OF_HEAD);
    if (headEnd < 0) return;
    const [, length] = /\r\ncontent-length: (\d+)/i.exec(this.#received.slice(0, headEnd + 2)) ?? [];
    if (length === undefined) {
      this.#socket.destroy(new Error('an answer came without content-length'));
      return;
    }
    const bodyStart = headEnd + END_OF_HEAD.length;
    const end = bodyStart + Number(length);
    if (this.#received.length < end) return;
    const answer = {
      status: Number(this.#received.slice(9, 12)),
      body: this.#received.slice(bodyStart, end),
    };
    this.#received = this.#received.slice(end);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  return socket;
}
