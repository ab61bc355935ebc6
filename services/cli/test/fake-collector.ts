/*
 * A fake collector for tests of `imscope send`: it has the collector's HTTP interface and keeps the requests it
 * received. Each request is answered by the next script; without a script it is accepted completely.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export type ReceivedRequest = {
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly key: string | undefined;
  readonly path: string;
  readonly body: string;
  readonly records: readonly Record<string, unknown>[];
};

export type Script = (request: ReceivedRequest, response: ServerResponse) => void;

export type FakeCollector = {
  readonly url: string;
  readonly received: ReceivedRequest[];
  /** Records of requests that were accepted completely. */
  readonly accepted: Record<string, unknown>[];
  /** The largest number of concurrent requests. */
  readonly openMax: () => number;
  stop(): Promise<void>;
};

/** @param port 0 chooses a free one */
export async function startFakeCollector(scripts: Script[] = [], port = 0): Promise<FakeCollector> {
  const received: ReceivedRequest[] = [];
  const accepted: Record<string, unknown>[] = [];
  let open = 0;
  let openMax = 0;
  const server = createServer((request, response) => {
    open += 1;
    openMax = Math.max(openMax, open);
    response.on('close', () => {
      open -= 1;
    });
    void answer(request, response);
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const read = await readRequest(request);
    received.push(read);
    const script = scripts.shift() ?? acceptAll(accepted);
    script(read, response);
  };
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    accepted,
    openMax: () => openMax,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Answers with an error in the form of our services. */
export function refuse(status: number, message: string, headers: Record<string, string> = {}): Script {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ error: { code: 'unavailable', message } }));
  };
}

/** Accepts the request without the records at these places, and lists a hundred of them as the collector does. */
export function rejectPlaces(places: readonly number[], reason: string): Script {
  return ({ records }, response) => {
    const rejected = places.slice(0, 100).map((index) => ({ index, reason, detail: `record ${index}` }));
    response.writeHead(202, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        accepted: records.length - places.length,
        rejected,
        rejected_count: places.length,
        rejected_by_reason: { [reason]: places.length },
      }),
    );
  };
}

/** Reads the complete request and closes the connection without an answer. */
export const disconnect: Script = (_request, response) => {
  response.socket?.destroy();
};

function acceptAll(accepted: Record<string, unknown>[]): Script {
  return ({ records }, response) => {
    accepted.push(...records);
    response.writeHead(202, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ accepted: records.length, rejected: [], rejected_count: 0, rejected_by_reason: {} }),
    );
  };
}

function text(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

async function readRequest(request: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  const body = Buffer.concat(chunks).toString('utf8');
  return {
    authorization: request.headers.authorization,
    contentType: request.headers['content-type'],
    key: text(request.headers['idempotency-key']),
    path: request.url ?? '',
    body,
    records: body
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}
