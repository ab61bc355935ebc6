/*
 * Measures the time from a kill until the pipeline has recovered. It has recovered when every partition of the request
 * logs has a block in the ledger whose last message was appended after the kill; all partitions have traffic. For
 * overlapping kills the recovery counts from the last one, the outage from the first.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pipeline } from '../pipeline/pipeline.js';

const POLL_INTERVAL_MS = 150;

export class Recoveries {
  readonly #select: Pipeline['select'];
  readonly #partitions: number;
  readonly #stop = new AbortController();
  readonly #polling: Promise<void>;
  /** Epoch milliseconds of kills whose recovery was not observed yet. */
  #open: number[] = [];
  #lastKillMs = 0;
  longestRecoveryMs = 0;
  longestOutageMs = 0;
  /** Recovery time of the latest kill that has recovered. */
  lastRecoveryMs = 0;

  /** @param partitions of the request logs' topic */
  constructor(select: Pipeline['select'], partitions: number) {
    this.#select = select;
    this.#partitions = partitions;
    this.#polling = this.#poll();
  }

  noteKill(): void {
    this.#lastKillMs = Date.now();
    this.#open.push(this.#lastKillMs);
  }

  get pending(): number {
    return this.#open.length;
  }

  /** Call it after the last block was stored: nothing more is observed. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#polling;
  }

  async #poll(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await sleep(POLL_INTERVAL_MS);
      if (this.#open.length === 0) continue;
      const storedUpToMs = await this.#storedUpToMs();
      const nowMs = Date.now();
      for (const killedMs of this.#open.filter((at) => at < storedUpToMs)) {
        this.lastRecoveryMs = nowMs - killedMs;
        this.longestOutageMs = Math.max(this.longestOutageMs, this.lastRecoveryMs);
      }
      this.#open = this.#open.filter((at) => at >= storedUpToMs);
      if (this.#open.length > 0) continue;
      this.longestRecoveryMs = Math.max(this.longestRecoveryMs, nowMs - this.#lastKillMs);
    }
  }

  /** 0 while the store does not answer. */
  async #storedUpToMs(): Promise<number> {
    try {
      const [row] = await this.#select<{ partitions: number; appended: number }>(STORED_UP_TO);
      return row?.partitions === this.#partitions ? row.appended : 0;
    } catch {
      return 0;
    }
  }
}

const STORED_UP_TO = `
  SELECT count() AS partitions, toUnixTimestamp64Milli(min(last)) AS appended FROM (
    SELECT partition, max(last_appended) AS last FROM block_ledger
    WHERE endsWith(topic, 'im.request-log') GROUP BY partition
  )`;
