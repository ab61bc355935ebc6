/*
 * Stands between aggregators and the store, hands everything on as it is, and knows what became of every insert of a
 * block, by its token. Ambiguous is one that the store had whole while the aggregator never got the answer: whether
 * its rows are stored nobody can tell. So a kill can be made to fall into an insert, and be counted only if it did.
 */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

/** Of all watches together. */
export class InsertFates {
  readonly #handedOver = new Set<string>();
  readonly #answered = new Set<string>();
  readonly #ambiguous: string[] = [];
  /** Inserts that the store was given again under a token it had had before. */
  repeated = 0;

  get ambiguous(): number {
    return this.#ambiguous.length;
  }

  /** Tokens whose fate stayed unknown: nobody asked again. Empty when all has come to rest. */
  leftUnknown(): string[] {
    return [...new Set(this.#ambiguous)].filter((token) => !this.#answered.has(token));
  }

  noteHandedOver(token: string): void {
    if (this.#handedOver.has(token)) this.repeated += 1;
    this.#handedOver.add(token);
  }

  noteAnswered(token: string): void {
    this.#answered.add(token);
  }

  noteAmbiguous(token: string): void {
    this.#ambiguous.push(token);
  }
}

export type InsertWatch = {
  readonly url: string;
  /** Resolves as soon as the store has the next insert whole; false where none comes within `timeoutMs`. */
  nextInsert(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
};

/** Listens on loopback for one aggregator. @param storePort need not answer yet */
export async function watchInserts(storePort: number, fates: InsertFates): Promise<InsertWatch> {
  const inserts = new EventEmitter();
  const server = createServer((request, response) => {
    const token = new URL(request.url ?? '/', 'http://store').searchParams.get('insert_deduplication_token');
    const onward = send({
      host: '127.0.0.1',
      port: storePort,
      method: request.method,
      path: request.url,
      // A connection of its own: the store may end an idle one just as the next request is written to it.
      headers: { ...request.headers, connection: 'close' },
      agent: false,
    });
    if (token !== null) {
      followInsert(token, fates, { onward, response, onHandedOver: () => inserts.emit('insert') });
    }
    onward.on('response', (answer: IncomingMessage) => {
      const { connection: _ours, ...headers } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, headers);
      pipeline(answer, response, () => undefined);
    });
    onward.on('error', () => response.destroy());
    // An aggregator that is gone leaves no connection behind, as without us.
    response.on('close', () => onward.destroy());
    pipeline(request, onward, () => undefined);
  });
  // An idle connection is the aggregator's to end: closed by us, its next request would fail for no reason of its own.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    nextInsert: async (timeoutMs) => {
      try {
        await once(inserts, 'insert', { signal: AbortSignal.timeout(timeoutMs) });
        return true;
      } catch {
        return false;
      }
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function followInsert(
  token: string,
  fates: InsertFates,
  {
    onward,
    response,
    onHandedOver,
  }: { onward: ReturnType<typeof send>; response: ServerResponse; onHandedOver: () => void },
): void {
  let handedOver = false;
  onward.on('finish', () => {
    handedOver = true;
    fates.noteHandedOver(token);
    onHandedOver();
  });
  response.on('close', () => {
    if (!response.writableFinished) {
      if (handedOver) fates.noteAmbiguous(token);
    } else if (response.statusCode === 200 && !response.hasHeader('x-clickhouse-exception-code')) {
      fates.noteAnswered(token);
    }
  });
}
