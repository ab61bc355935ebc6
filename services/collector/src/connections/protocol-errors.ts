/*
 * Answers to what is no HTTP request, or does not come in time: in the one form of errors, over the bare socket, where
 * nothing else stands or is about to stand there. The connection ends with it.
 */
import type { IncomingMessage, Server } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ERROR_STATUS, errorBody, type ErrorCode } from '@imscope/runtime/http-errors.js';
import type { Connections } from './connections.js';

export type ProtocolError = Extract<
  ErrorCode,
  'malformed_request' | 'request_timeout' | 'body_too_large' | 'headers_too_large' | 'not_found'
>;

const MESSAGES: Readonly<Record<ProtocolError, string>> = {
  malformed_request:
    'what came is no HTTP/1.1 request: nothing of it was taken, and the connection is closed',
  request_timeout: 'the request did not come in time: nothing of it was taken, send it again',
  body_too_large: 'the extensions of a chunk are too long: send chunks without',
  headers_too_large: 'request line and headers have more than 16384 bytes: send fewer',
  not_found: 'no such address: requests go to POST /v1/request-logs',
};

/** Node.js's own names of what went wrong; everything else is a malformed request. */
const BY_CODE: Readonly<Record<string, ProtocolError>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** The client has so long to read the answer and close. */
const LINGER_MS = 1_000;

/** @param onAnswered called with each answer given here */
export function answerProtocolErrors(
  server: Server,
  connections: Connections,
  onAnswered: (error: ProtocolError) => void,
): void {
  const answer = (socket: Socket, error: ProtocolError): void => {
    onAnswered(error);
    const body = JSON.stringify(errorBody(error, MESSAGES[error]));
    const status = ERROR_STATUS[error];
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
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
    // What follows the first fault is part of it.
    if (answered.has(socket)) return;
    answered.add(socket);
    if (!mayAnswer(code)) socket.destroy();
    else {
      afterOwedAnswers(connections, socket, () => {
        if (socket.writable) answer(socket, BY_CODE[code] ?? 'malformed_request');
        else socket.destroy();
      });
    }
  });
}

/** Not where the connection itself is gone, or TLS was never agreed on. */
function mayAnswer(code: string): boolean {
  return code.startsWith('HPE_') || code in BY_CODE;
}

/** An answer that earlier requests wait for, or that is half sent, goes out first: none is taken for another's. */
function afterOwedAnswers(connections: Connections, socket: Socket, then: () => void): void {
  const exchanges = Array.from(connections.of(socket)?.exchanges ?? []);
  const owed = exchanges.filter(({ request, response }) => request.complete || response.headersSent);
  let left = owed.length;
  if (left === 0) then();
  for (const { response } of owed) {
    response.once('close', () => {
      left -= 1;
      if (left === 0) then();
    });
  }
}
