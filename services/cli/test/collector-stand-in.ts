/*
 * A network peer for `imscope send`: it speaks the collector's contract over real HTTP and keeps what came. Each
 * request is answered by the next script, or taken whole where none is left.
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

export type CollectorStandIn = {
  readonly url: string;
  readonly received: ReceivedRequest[];
  /** Records of requests that were answered with 202, less the refused. */
  readonly taken: Record<string, unknown>[];
  /** Most requests that were open at once. */
  readonly openMax: () => number;
  stop(): Promise<void>;
};

/** @param port 0 takes a free one */
export async function startCollectorStandIn(scripts: Script[] = [], port = 0): Promise<CollectorStandIn> {
  const received: ReceivedRequest[] = [];
  const taken: Record<string, unknown>[] = [];
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
    const script = scripts.shift() ?? takeAll(taken);
    script(read, response);
  };
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    taken,
    openMax: () => openMax,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Answers with an error in the services' one form. */
export function refuse(status: number, message: string, headers: Record<string, string> = {}): Script {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ error: { code: 'unavailable', message } }));
  };
}

/** Takes the request and refuses the records at these places, naming a hundred of them as the collector does. */
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

/** Reads the whole request and breaks the connection off without an answer. */
export const breakOff: Script = (_request, response) => {
  response.socket?.destroy();
};

function takeAll(taken: Record<string, unknown>[]): Script {
  return ({ records }, response) => {
    taken.push(...records);
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
