/*
 * Gateways that send through a load balancer over keep-alive connections, one request after the other, and record
 * every answer other than 202. With idempotency keys a failed request is repeated until it is answered 202; without
 * keys it is not repeated.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';
import { sampleRecord } from '../../services/collector/test/sample-record.js';

export type LoadOptions = {
  readonly origin: string;
  readonly token: string;
  /** Prefix of the record ids. */
  readonly name: string;
  readonly keyed: boolean;
  /** One client each, with its records a request. */
  readonly clients: readonly { readonly localAddress: string; readonly records: number }[];
};

const PAUSE_MS = 10;
const AGAIN_PAUSE_MS = 50;
/** How long a request with a key is repeated. */
const TRIED_MS_MAX = 60_000;
const ANSWER_MS_MAX = 70_000;

export class SteadyLoad {
  readonly #options: LoadOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[];
  /** Ids of all records that were acknowledged. */
  readonly acknowledged = new Set<string>();
  /** Answers other than 202, and errors in place of an answer, as text. */
  readonly failures: string[] = [];
  readonly #connected: Client[] = [];
  #requests = 0;
  #aborted = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#running = options.clients.map(async (client, index) => this.#run(index, client));
  }

  get requests(): number {
    return this.#requests;
  }

  /** Waits until this many more requests are acknowledged. */
  async more(requests: number, timeoutMs = 60_000): Promise<void> {
    const wanted = this.#requests + requests;
    const deadline = performance.now() + timeoutMs;
    while (this.#requests < wanted) {
      if (performance.now() > deadline)
        throw new Error(
          `${wanted - this.#requests} requests are missing after ${timeoutMs} ms: ${this.failures.slice(-3).join('; ')}`,
        );
      await sleep(PAUSE_MS);
    }
  }

  /** Ends at once, without waiting for requests in flight: for a failed test. */
  abort(): void {
    this.#stop.abort();
    this.#aborted = true;
    for (const client of this.#connected) void client.destroy();
  }

  /** Sends no new requests, and waits for those in flight. */
  async finish(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #run(index: number, { localAddress, records }: LoadOptions['clients'][number]): Promise<void> {
    const client = new Client(this.#options.origin, { localAddress, headersTimeout: ANSWER_MS_MAX });
    this.#connected.push(client);
    for (let number = 0; !this.#stop.signal.aborted; number++) {
      const ids = Array.from(
        { length: records },
        (_, at) => `${this.#options.name}-${index}.${number}.${at}`,
      );
      const body = JSON.stringify(ids.map((id) => sampleRecord({ time: Date.now(), request_id: id })));
      if (await this.#deliver(client, body)) {
        for (const id of ids) this.acknowledged.add(id);
        this.#requests += 1;
      }
      await sleep(PAUSE_MS);
    }
    if (!this.#aborted) await client.close();
  }

  /** True if it was answered 202. */
  async #deliver(client: Client, body: string): Promise<boolean> {
    const key = this.#options.keyed ? { 'idempotency-key': randomUUID() } : {};
    const deadline = performance.now() + TRIED_MS_MAX;
    do {
      const answer = await this.#post(client, body, key);
      if (answer === '202') return true;
      this.failures.push(answer);
      if (!this.#options.keyed) return false;
      await sleep(AGAIN_PAUSE_MS);
    } while (!this.#aborted && performance.now() < deadline);
    return false;
  }

  async #post(client: Client, body: string, key: Readonly<Record<string, string>>): Promise<string> {
    const headers = {
      authorization: `Bearer ${this.#options.token}`,
      'content-type': 'application/json',
      ...key,
    };
    try {
      const answer = await client.request({ method: 'POST', path: '/v1/request-logs', headers, body });
      const text = await answer.body.text();
      return answer.statusCode === 202 ? '202' : `${answer.statusCode} ${text.slice(0, 200)}`;
    } catch (error) {
      return `no answer: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}

/** A forged header with an address of a network that no client of the test is in. */
const FORGED = { 'x-forwarded-for': '203.0.113.99' };

/** Sends a request with an unknown token from one of this machine's addresses, with a forged client address. */
export async function refused(
  origin: string,
  localAddress: string,
  claim: Readonly<Record<string, string>> = FORGED,
): Promise<void> {
  const client = new Client(origin, { localAddress });
  const headers = { authorization: 'Bearer no-such-token-no-such', ...claim };
  const answer = await client.request({ method: 'POST', path: '/v1/request-logs', headers });
  await answer.body.dump();
  if (answer.statusCode !== 401) throw new Error(`answered ${answer.statusCode}`);
  await client.close();
}
