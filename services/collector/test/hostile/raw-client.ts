/*
 * Bytes over a bare socket, and what comes back until the other side closes or the answers awaited are there.
 */
import { connect, type Socket } from 'node:net';
import { WRITE_TOKEN } from '../running-collector.js';

export type RawAnswer = {
  readonly status: number;
  readonly code: string | undefined;
  readonly headers: string;
  readonly body: string;
};
export type RawAnswers = { readonly answers: readonly RawAnswer[]; readonly isClosed: boolean };

/** Head of a good request, for tests to put something behind or between. */
export function head(...more: readonly string[]): string {
  return ['POST /v1/request-logs HTTP/1.1', 'Host: collector', `Authorization: Bearer ${WRITE_TOKEN}`]
    .concat(['Content-Type: application/json'], more, '', '')
    .join('\r\n');
}

/** Sends the pieces and reads until the connection is closed, or `count` answers are there. */
export function exchange(
  url: string,
  pieces: readonly (string | Buffer)[],
  count = Number.POSITIVE_INFINITY,
): Promise<RawAnswers> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let received = '';
    const finish = (isClosed: boolean): void => {
      resolve({ answers: answersIn(received), isClosed });
      socket.destroy();
    };
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      if (answersIn(received).length >= count) finish(false);
    });
    socket.on('close', () => finish(true));
    // A reset says what a close says.
    socket.on('error', () => undefined);
    for (const piece of pieces) socket.write(piece);
  });
}

/** Whole answers at the beginning of what was received. */
function answersIn(received: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let at = 0; at < received.length;) {
    const headEnd = received.indexOf('\r\n\r\n', at);
    if (headEnd === -1) break;
    const headers = received.slice(at, headEnd);
    const length = Number(/^content-length: (\d+)$/im.exec(headers)?.[1] ?? 0);
    const bodyAt = headEnd + 4;
    if (received.length < bodyAt + length) break;
    const body = received.slice(bodyAt, bodyAt + length);
    const code = /"error":\{"code":"(\w+)"/.exec(body)?.[1];
    answers.push({ status: Number(headers.slice(9, 12)), code, headers, body });
    at = bodyAt + length;
  }
  return answers;
}

/** A socket that is open, with errors kept quiet: who sends rubbish expects to be cut off. */
export function openSocket(url: string, localAddress?: string): Socket {
  const { hostname, port } = new URL(url);
  const local = localAddress === undefined ? {} : { localAddress };
  return connect({ host: hostname, port: Number(port), ...local }).on('error', () => undefined);
}
