/*
 * Runs reconcile passes while processes are killed, as an aggregator does, and collects differences that would raise an
 * alarm. A store that is down raises none; the next pass runs when it answers again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { checkConfirmed } from '@imscope/aggregator/reconcile/confirmed-check.js';
import { keyOf } from '@imscope/aggregator/reconcile/difference.js';
import { SETTLE_MS } from '@imscope/aggregator/reconcile/pass.js';
import { storeAsk } from '@imscope/aggregator/store/store-ask.js';
import type { Pipeline } from '../pipeline/pipeline.js';

const EVERY_MS = 3_000;

export class ReconcileWatch {
  readonly #pipeline: Pick<Pipeline, 'store' | 'kafka'>;
  readonly #stop = new AbortController();
  readonly #alarms = new Map<string, string>();
  readonly #checking: Promise<void>;
  /** Number of completed passes. */
  checks = 0;

  constructor(pipeline: Pick<Pipeline, 'store' | 'kafka'>) {
    this.#pipeline = pipeline;
    this.#checking = this.#check();
  }

  /** Each difference once, as found last. */
  get alarms(): string[] {
    return [...this.#alarms.values()];
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#checking;
  }

  async #check(): Promise<void> {
    const { signal } = this.#stop;
    const { store, kafka } = this.#pipeline;
    const wait = (ms: number): Promise<void> => sleep(ms, undefined, { signal });
    const request = { ask: storeAsk(store), topicPrefix: kafka.topicPrefix, fromMs: 0, settleMs: SETTLE_MS };
    while (!signal.aborted) {
      try {
        await wait(EVERY_MS);
        const { differences } = await checkConfirmed(request, { now: Date.now, wait });
        this.checks += 1;
        for (const one of differences) this.#alarms.set(keyOf(one), `reconciliation: ${JSON.stringify(one)}`);
      } catch {
        // The store was killed, or this watch is being stopped.
      }
    }
  }
}
