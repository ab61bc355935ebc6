/* A connection spoken byte by byte, as a balancer opens it. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

const HOST = '127.0.0.1';
const CLOSED_MS_MAX = 20_000;

/** A POST of an empty array that asks for the connection to be closed behind it. */
export function postRequest(headers: Readonly<Record<string, string>> = {}, body = '[]'): string {
  const lines = Object.entries({
    host: 'collector',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /v1/request-logs HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/** Sends the pieces, each by itself, and resolves with all that came once the other side has closed. */
export async function exchange(port: number, pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect({ port, host: HOST, noDelay: true });
  const answer = untilClosed(socket);
  for (const piece of pieces) {
    await new Promise<void>((resolve) => {
      socket.write(piece, () => resolve());
    });
    // The next piece goes in a packet of its own.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return answer;
}

/** The same with TLS behind the header. */
export async function exchangeTls(
  port: number,
  header: string | Buffer,
  request: string,
  ca: Buffer,
): Promise<string> {
  const socket = connect({ port, host: HOST });
  socket.write(header);
  const secure = connectTls({ socket, ca, servername: '', host: HOST });
  secure.write(request);
  return untilClosed(secure);
}

/** All that comes until the other side closes; a reset counts as closing. Throws where it stays open. */
export function untilClosed(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`not closed within ${CLOSED_MS_MAX} ms; received: ${text}`));
    }, CLOSED_MS_MAX);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}
