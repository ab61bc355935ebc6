/* Sends a request as it is and reads the answer: all of it, or of an endless one the first piece. */
import { request as httpRequest } from 'node:http';
import type { ApiRequest } from './requests.js';

export type ApiAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
};

/** Longer than anything of ours may take, and than PRODUCE_TIMEOUT_MS. */
const ANSWER_TIMEOUT_MS = 60_000;

/**
 * @param isEndless an answer of success is cut off at its first piece
 * @throws Error where there is no answer
 */
export function sendRequest(
  serviceUrl: string,
  { method, target, headers, body }: ApiRequest,
  isEndless: boolean,
): Promise<ApiAnswer> {
  const { hostname, port } = new URL(serviceUrl);
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const sent = httpRequest({
      // A connection of its own: the collector ends some with the answer.
      agent: false,
      hostname,
      port,
      method,
      path: target,
      headers: { ...length, ...headers },
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const pieces: Buffer[] = [];
      const finish = (): void =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) });
      response.on('data', (piece: Buffer) => {
        pieces.push(piece);
        if (!isEndless || response.statusCode !== 200) return;
        finish();
        sent.destroy();
      });
      response.once('end', finish);
      response.once('error', reject);
    });
    sent.end(body);
  });
}
