/* Sends a request unchanged and reads the answer: completely, or the first chunk of an endless one. */
import { request as httpRequest } from 'node:http';
import type { ApiRequest } from './requests.js';

export type ApiAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
};

/** Above every time limit of our services, also PRODUCE_TIMEOUT_MS. */
const ANSWER_TIMEOUT_MS = 60_000;

/**
 * @param isEndless a successful answer is cut after its first chunk
 * @throws Error if there is no answer
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
      // A new connection for each request: the collector closes some with the answer.
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
