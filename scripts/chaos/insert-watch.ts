/*
 * A proxy between an aggregator and the store that forwards everything unchanged and tracks every insert of a block by its
 * token. An insert is ambiguous if the store received it completely and the aggregator got no answer: the aggregator
 * does not know whether its rows are stored. With this watch a kill can be timed to hit an insert, and is counted only
 * if it did.
 */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

/** The outcomes of all watched inserts, by token. */
export class InsertFates {
  readonly #handedOver = new Set<string>();
  readonly #answered = new Set<string>();
  readonly #ambiguous: string[] = [];
  /** Inserts that were sent again under a token the store had received before. */
  repeated = 0;

  get ambiguous(): number {
    return this.#ambiguous.length;
  }

  /** Tokens of ambiguous inserts that were not sent again. Empty after the load has ended. */
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
  /** Resolves when the store has received the next insert completely; false if there is none within `timeoutMs`. */
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
      // One connection per request: the store may close an idle one just as the next request is written to it.
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
    // As without the proxy, the store's connection ends with the aggregator's.
    response.on('close', () => onward.destroy());
    pipeline(request, onward, () => undefined);
  });
  // Idle connections are never closed here: the aggregator's next request would fail.
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
