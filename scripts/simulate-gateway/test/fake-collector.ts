/*
 * A fake collector: an HTTP server that reads bodies as the collector does, counts their records, and answers as a
 * test specifies.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';

export interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly records: readonly Record<string, unknown>[];
}

export type Answering = (
  received: Received,
  response: ServerResponse,
  number: number,
) => void | Promise<void>;

export interface FakeCollector {
  readonly url: string;
  readonly port: number;
  /** Every request whose body arrived, in order. */
  readonly requests: readonly Received[];
  stop(): Promise<void>;
}

/** Answers 202 and accepts all records. */
export const acceptAll: Answering = ({ records }, response) => {
  answer(response, 202, { accepted: records.length, rejected: [] });
};

export function answer(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export async function startFakeCollector(answering: Answering = acceptAll, port = 0): Promise<FakeCollector> {
  const requests: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received = { headers: request.headers, records: parse(Buffer.concat(chunks), request.headers) };
      requests.push(received);
      void answering(received, response, requests.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    requests,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function parse(body: Buffer, headers: IncomingMessage['headers']): Record<string, unknown>[] {
  const text = (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('utf8');
  const json =
    headers['content-type'] === 'application/json' ? text : `[${text.trimEnd().replaceAll('\n', ',')}]`;
  const records: Record<string, unknown>[] = JSON.parse(json);
  return records;
}

/** Resolves once the condition holds; the test's own time limit bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
