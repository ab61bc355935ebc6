/*
 * A server in front of the S3 server of the test run that keeps lifecycle rules of buckets, which versitygw does not
 * implement; everything else is passed on. It can refuse to give or to set them, as a service without the permission does.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type LifecycleFront = {
  readonly endpoint: string;
  /** The document as it is kept, of one bucket; undefined: none. */
  rules: string | undefined;
  close(): Promise<void>;
};

/** @param refused answered with 403 */
export async function startLifecycleFront(
  target: string,
  refused: readonly ('GET' | 'PUT')[] = [],
): Promise<LifecycleFront> {
  const answerLifecycle = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const { method } = incoming;
    const body = await text(incoming);
    if (refused.some((name) => name === method)) return sendError(answer, 403, 'AccessDenied');
    if (method === 'PUT') {
      // As COS does.
      const digest = createHash('md5').update(body).digest('base64');
      if (incoming.headers['content-md5'] !== digest) return sendError(answer, 400, 'InvalidDigest');
      front.rules = body;
      answer.end();
    } else if (front.rules === undefined) sendError(answer, 404, 'NoSuchLifecycleConfiguration');
    else answer.setHeader('content-type', 'application/xml').end(front.rules);
  };
  const server = createServer((incoming, answer) => {
    if (new URL(incoming.url ?? '/', target).searchParams.has('lifecycle')) {
      void answerLifecycle(incoming, answer);
    } else passOn(target, incoming, answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const front: LifecycleFront = {
    endpoint: `http://127.0.0.1:${port}`,
    rules: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return front;
}

/** With its own Host header, which is signed. */
function passOn(target: string, incoming: IncomingMessage, answer: ServerResponse): void {
  const { hostname, port } = new URL(target);
  const { method, url, headers } = incoming;
  const outgoing = request({ hostname, port, method, path: url, headers }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  outgoing.once('error', () => answer.destroy());
  incoming.pipe(outgoing);
}

function sendError(answer: ServerResponse, status: number, code: string): void {
  answer.statusCode = status;
  answer
    .setHeader('content-type', 'application/xml')
    .end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}
