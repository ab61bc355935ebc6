/*
 * Answers to bytes that are not an HTTP request, or that arrive too late: our error answer, written directly to the
 * socket after the answers to earlier requests of the connection. Then the connection is closed.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ERROR_STATUS, errorBody, type ErrorCode } from './http-errors.js';

/** Request line and headers, bytes; our clients send some 500. */
export const HEAD_BYTES_MAX = 16 << 10;

export type ProtocolError = Extract<
  ErrorCode,
  'malformed_request' | 'request_timeout' | 'body_too_large' | 'headers_too_large' | 'not_found'
>;

const MESSAGES: Readonly<Record<ProtocolError, string>> = {
  malformed_request:
    'the received bytes are not an HTTP/1.1 request: nothing of them was accepted, and the connection is closed',
  request_timeout: 'the request did not arrive in time: nothing of it was accepted, send it again',
  body_too_large: 'the extensions of a chunk are too long: send chunks without',
  headers_too_large: `request line and headers have more than ${HEAD_BYTES_MAX} bytes: send fewer`,
  not_found: 'CONNECT is not supported, this is no proxy: send the request to the address itself',
};

/** Node.js's error codes of these faults; every other fault is a malformed request. */
const BY_CODE: Readonly<Record<string, ProtocolError>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** The client's time to read the answer and close. */
const LINGER_MS = 1_000;

/** A request whose answer was not sent completely. */
export type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

/**
 * @param exchangesOf the open exchanges of a connection
 * @param onAnswered called with each answer sent here
 */
export function answerProtocolErrors(
  server: Server,
  exchangesOf: (socket: Socket) => Iterable<Exchange>,
  onAnswered: (error: ProtocolError) => void,
): void {
  const answer = (socket: Socket, error: ProtocolError): void => {
    onAnswered(error);
    socket.end(answerText(error));
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
  };
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    answer(socket as Socket, 'not_found');
  });
  const answered = new WeakSet<Socket>();
  server.on('clientError', (error: Error & { code?: string }, stream: Duplex) => {
    const socket = stream as Socket;
    const code = error.code ?? '';
    // Further faults are bytes of the same malformed request.
    if (answered.has(socket)) return;
    answered.add(socket);
    if (!mayAnswer(code)) socket.destroy();
    else {
      afterPendingAnswers(exchangesOf(socket), () => {
        if (socket.writable) answer(socket, BY_CODE[code] ?? 'malformed_request');
        else socket.destroy();
      });
    }
  });
}

function answerText(error: ProtocolError): string {
  const body = JSON.stringify(errorBody(error, MESSAGES[error]));
  const status = ERROR_STATUS[error];
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}

/** False where the connection is closed, or TLS was not established. */
function mayAnswer(code: string): boolean {
  return code.startsWith('HPE_') || code in BY_CODE;
}

/**
 * Calls `then` after the answers to earlier complete requests, so that clients assign answers to the right requests.
 */
function afterPendingAnswers(exchanges: Iterable<Exchange>, then: () => void): void {
  const pending = [...exchanges].filter(({ request, response }) => request.complete || response.headersSent);
  let left = pending.length;
  if (left === 0) then();
  for (const { response } of pending) {
    response.once('close', () => {
      left -= 1;
      if (left === 0) then();
    });
  }
}
