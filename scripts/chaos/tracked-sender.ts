/*
 * Clients that track the outcome of every request: acknowledged, refused, or unclear. Every record has a unique id that
 * names its request. A client with keys sends an unanswered request again under the same `Idempotency-Key` until it is
 * answered; a client without keys repeats only requests that were certainly not accepted.
 */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isNeverSent, parseJson } from '@imscope/cli/command/http-answer.js';
import { Pool } from 'undici';
import { createTraffic, type GatewayRecord } from '../simulate-gateway/generate.js';

export type SenderOptions = {
  readonly url: string;
  readonly token: string;
  /** Prefix of the ids of its records; unique among the senders of one store. */
  readonly name: string;
  readonly seed: number;
  readonly keyedClients: number;
  readonly plainClients: number;
  readonly recordsPerRequest: number;
  /** Of all clients together; lower if answers are slow. */
  readonly recordsPerSecond: number;
  /** What a client does after 503. */
  readonly whenRefused: 'send_again' | 'give_up';
};

/** The number of records of each request, by the request's name and outcome. */
export type Fates = {
  /** Answered 202. */
  readonly acknowledged: ReadonlyMap<string, number>;
  /** Every answer was 503: nothing of it may be stored. */
  readonly refused: ReadonlyMap<string, number>;
  /** May be stored: the last answer was missing, or was 504. */
  readonly unclear: ReadonlyMap<string, number>;
};

/** The outcomes of several senders, whose names differ. */
export function fatesTogether(senders: readonly TrackedSender[]): Fates {
  const together = (kind: keyof Fates): ReadonlyMap<string, number> =>
    new Map(senders.flatMap((sender) => [...sender.fates[kind]]));
  return {
    acknowledged: together('acknowledged'),
    refused: together('refused'),
    unclear: together('unclear'),
  };
}

const APPLICATIONS = 40;
/** Shorter than a client should wait, so that a recovery is observed at once. */
const AGAIN_PAUSE_MS = 50;
const ANSWER_TIMEOUT_MS = 60_000;
/** Longest a keyed request is tried after sending has stopped. */
const FINISH_MS_MAX = 120_000;

type Attempt =
  | { readonly kind: 'acknowledged' }
  /** Certainly not accepted. */
  | { readonly kind: 'refused' | 'not_sent' }
  | { readonly kind: 'unclear' };

export class TrackedSender {
  readonly #options: SenderOptions;
  readonly #pool: Pool;
  readonly #traffic: ReturnType<typeof createTraffic>;
  readonly #acknowledged = new Map<string, number>();
  readonly #refused = new Map<string, number>();
  readonly #unclear = new Map<string, number>();
  readonly #stop = new AbortController();
  readonly #clients: Promise<void>[] = [];
  #failure: unknown;
  #killedMs: number | undefined;
  #acknowledgedMs = performance.now();
  /** Requests that were sent more than once under their key. */
  repeated = 0;
  /** Tried at least once. */
  sentRecords = 0;
  acknowledgedRecords = 0;
  refusals = 0;
  refusalsWithoutRetryAfter = 0;
  longestRecoveryMs = 0;
  longestSilenceMs = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    const { url, name, seed, keyedClients, plainClients } = options;
    setMaxListeners(keyedClients + plainClients, this.#stop.signal);
    this.#traffic = createTraffic({ seed, applications: APPLICATIONS });
    this.#pool = new Pool(new URL(url).origin, {
      connections: keyedClients + plainClients,
      headersTimeout: ANSWER_TIMEOUT_MS,
      bodyTimeout: ANSWER_TIMEOUT_MS,
    });
    for (let client = 0; client < keyedClients; client++) this.#start(`${name}-keyed-${client}`, true);
    for (let client = 0; client < plainClients; client++) this.#start(`${name}-plain-${client}`, false);
  }

  get fates(): Fates {
    return { acknowledged: this.#acknowledged, refused: this.#refused, unclear: this.#unclear };
  }

  /** Recovery counts from the latest kill to the next acknowledgement. */
  noteKill(): void {
    this.#killedMs = performance.now();
  }

  /** Waits until this many more records are acknowledged. Throws if a client failed, or at the time limit. */
  async acknowledgedMore(records: number, timeoutMs = 60_000): Promise<void> {
    const wanted = this.acknowledgedRecords + records;
    await this.until(
      () => this.acknowledgedRecords >= wanted,
      `${records} more records are acknowledged`,
      timeoutMs,
    );
  }

  async until(holds: () => boolean, what: string, timeoutMs = 60_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!holds()) {
      if (this.#failure !== undefined) throw new Error('a client failed', { cause: this.#failure });
      if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
      await sleep(10);
    }
  }

  /** Sends no new requests and completes those in flight. Throws where a client failed. */
  async finish(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#clients);
    await this.#pool.close();
    if (this.#failure !== undefined) throw new Error('a client failed', { cause: this.#failure });
  }

  #start(client: string, keyed: boolean): void {
    this.#clients.push(
      this.#run(client, keyed).catch((error: unknown) => {
        this.#failure ??= error;
      }),
    );
  }

  async #run(client: string, keyed: boolean): Promise<void> {
    const { recordsPerRequest, recordsPerSecond, keyedClients, plainClients } = this.#options;
    const pauseMs = (1_000 * recordsPerRequest * (keyedClients + plainClients)) / recordsPerSecond;
    for (let number = 0; !this.#stop.signal.aborted; number++) {
      const dueMs = performance.now() + pauseMs;
      const name = `${client}.${number}`;
      await this.#deliver(name, this.#body(name), keyed);
      const restMs = dueMs - performance.now();
      // Clients that were answered late were answered at the same time: a random wait spreads them again.
      const waitMs = restMs > 0 ? restMs : Math.random() * pauseMs;
      await sleep(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  #body(name: string): string {
    const nowMs = Date.now();
    const range = { fromMs: nowMs - 1_000, toMs: nowMs, count: this.#options.recordsPerRequest };
    const records: GatewayRecord[] = this.#traffic
      .records(range)
      .map((record, index) => ({ ...record, request_id: `${name}.${index}` }));
    return JSON.stringify(records);
  }

  async #deliver(name: string, body: string, keyed: boolean): Promise<void> {
    const { recordsPerRequest: records, whenRefused } = this.#options;
    const key = keyed ? randomUUID() : undefined;
    this.sentRecords += records;
    let maybeAccepted = false;
    let giveUpMs = Number.POSITIVE_INFINITY;
    for (let attempts = 1; performance.now() < giveUpMs; attempts++) {
      const { kind } = await this.#attempt(body, key, records);
      if (attempts === 2 && keyed) this.repeated += 1;
      if (kind === 'acknowledged') {
        this.#recordAcknowledged(name, records);
        return;
      }
      maybeAccepted ||= kind === 'unclear';
      if (kind === 'unclear' && !keyed) break;
      if (kind === 'refused' && !maybeAccepted && whenRefused === 'give_up') break;
      if (this.#stop.signal.aborted) giveUpMs = Math.min(giveUpMs, performance.now() + FINISH_MS_MAX);
      if (this.#stop.signal.aborted && !keyed) break;
      await sleep(AGAIN_PAUSE_MS);
    }
    (maybeAccepted ? this.#unclear : this.#refused).set(name, records);
  }

  #recordAcknowledged(name: string, records: number): void {
    const nowMs = performance.now();
    this.#acknowledged.set(name, records);
    this.acknowledgedRecords += records;
    this.longestSilenceMs = Math.max(this.longestSilenceMs, nowMs - this.#acknowledgedMs);
    this.#acknowledgedMs = nowMs;
    if (this.#killedMs === undefined) return;
    this.longestRecoveryMs = Math.max(this.longestRecoveryMs, nowMs - this.#killedMs);
    this.#killedMs = undefined;
  }

  /** Throws on an answer that no fault of a machine explains, such as 400. */
  async #attempt(body: string, key: string | undefined, records: number): Promise<Attempt> {
    const headers = {
      authorization: `Bearer ${this.#options.token}`,
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    };
    let status: number;
    let retryAfter: string | string[] | undefined;
    let text: string;
    try {
      const answer = await this.#pool.request({ method: 'POST', path: '/v1/request-logs', headers, body });
      status = answer.statusCode;
      retryAfter = answer.headers['retry-after'];
      text = await answer.body.text();
    } catch (error) {
      return { kind: isNeverSent(error) ? 'not_sent' : 'unclear' };
    }
    if (status === 202) {
      const answer = parseJson(text);
      const accepted =
        typeof answer === 'object' && answer !== null && 'accepted' in answer ? answer.accepted : undefined;
      if (accepted === records) return { kind: 'acknowledged' };
      throw new Error(`of ${records} good records not all were accepted: ${text.slice(0, 500)}`);
    }
    if (status === 503) {
      this.refusals += 1;
      if (retryAfter === undefined) this.refusalsWithoutRetryAfter += 1;
      return { kind: 'refused' };
    }
    if (status === 504) return { kind: 'unclear' };
    throw new Error(`the collector answered ${status}: ${text.slice(0, 500)}`);
  }
}
